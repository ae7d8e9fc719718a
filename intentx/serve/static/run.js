// One question on its way to an answer: its job, what is known so far, and what went wrong.
import { cancel, get, work } from "./api.js";

const ENDED = new Set(["done", "failed", "cancelled", "lost"]);
const runs = new Map(); // by question, so that going back to one does not ask again

export class Run {
  /** `answer` is there for one that was kept. */
  constructor(kind, body, kept = null) {
    Object.assign(this, { kind, body, kept, job: null, error: null, answer: kept?.answer ?? null, listener: null });
  }

  static of(kind, body) {
    const name = JSON.stringify([kind, body]);
    const found = runs.get(name);
    if (found && !found.failed) return found;
    const run = new Run(kind, body);
    runs.set(name, run);
    if (runs.size > 60) runs.delete(runs.keys().next().value);
    return run;
  }

  get state() {
    if (this.answer !== null) return "done";
    return this.error ? "failed" : this.job?.state || (this.controller ? "queued" : "new");
  }

  get failed() {
    return ["failed", "cancelled", "lost"].includes(this.state);
  }

  get key() {
    return this.kept?.key || this.job?.key || null;
  }

  get partial() {
    return this.job?.partial ?? null;
  }

  async start() {
    if (this.controller || this.answer !== null) return;
    this.controller = new AbortController();
    this.tell();
    try {
      const job = await work(this.kind, this.body, (one) => this.heard(one), this.controller.signal);
      if (job.state === "done") this.answer = job.answer ?? (await this.full()).answer;
      else this.error = job.error || null;
    } catch (error) {
      if (this.controller.signal.aborted) this.job = { ...this.job, state: "cancelled" };
      else this.error = { message: error.message, todo: error.todo || "" };
    }
    this.tell();
  }

  heard(job) {
    this.job = job;
    if (!ENDED.has(job.state)) this.tell();
  }

  tell() {
    this.listener?.(this);
  }

  /** The answer as it is kept, with the Python that asks the same. */
  async full() {
    if (!this.kept || this.kept.python === undefined) this.kept = await get(`answers/${encodeURIComponent(this.key)}`);
    return this.kept;
  }

  stop() {
    if (this.job && !ENDED.has(this.job.state)) cancel(this.job.id);
    this.controller?.abort(new Error("cancelled"));
  }
}
