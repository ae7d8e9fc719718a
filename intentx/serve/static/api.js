// The only way to the server. It waits out a server that is gone or busy, and says so.
import { byId, button, make, sentence } from "./dom.js";

const ROOT = "/api/v1/";
const ENDED = new Set(["done", "failed", "cancelled", "lost"]);
let token = sessionStorage.getItem("token") || "";

/** What the server refuses, in its words: what is wrong, and what to do. */
export class Refused extends Error {
  constructor(status, told) {
    super(sentence(told?.message || `the server answered ${status}`));
    this.status = status;
    this.code = told?.code || "";
    this.todo = told?.todo ? sentence(told.todo) : "";
  }
}

const wait = (milliseconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, milliseconds);
  signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    reject(signal.reason);
  }, { once: true });
});

// ---- what is wrong with the line
const waiting = new Map(); // by request: what is said

function say(key, text, again) {
  if (text === null) waiting.delete(key);
  else waiting.set(key, [text, again]);
  const box = byId("trouble");
  const last = [...waiting.values()].at(-1);
  box.hidden = !last;
  if (!last) return box.replaceChildren();
  // The button stays, so that a click or the focus of one who waits is not lost at the next second.
  if (!box.childElementCount) box.replaceChildren(make("span"), button("Try now", () => [...waiting.values()].at(-1)?.[1]()));
  box.firstChild.textContent = last[0];
  return undefined;
}

/** Wait some seconds, counting down; "Try now" ends it. */
async function pause(key, why, from, signal) {
  const early = new AbortController();
  const both = signal ? AbortSignal.any([signal, early.signal]) : early.signal;
  try {
    for (let left = Math.ceil(from); left > 0; left -= 1) {
      say(key, `${why} Trying again in ${left} s.`, () => early.abort());
      await wait(1000, both);
    }
  } catch (stopped) {
    if (!early.signal.aborted) {
      say(key, null);
      throw stopped;
    }
  }
}

/** A request that is repeated until the server answers; the response. */
async function request(method, path, body, signal, accept = "application/json") {
  const key = Symbol(path);
  for (let tries = 0; ; tries += 1) {
    let response;
    try {
      response = await fetch(ROOT + path, {
        method,
        signal,
        headers: {
          Accept: accept,
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch (error) {
      if (signal?.aborted) {
        say(key, null);
        throw signal.reason;
      }
      await pause(key, "The server does not answer.", Math.min(30, 2 ** tries), signal);
      continue;
    }
    if (response.status === 429 || response.status === 503) {
      const after = Number(response.headers.get("Retry-After"));
      const told = await refusal(response);
      if (tries >= 20) throw told;
      await pause(key, response.status === 429 ? "The server is busy." : told.message, after > 0 ? Math.min(after, 60) : 3, signal);
      continue;
    }
    say(key, null);
    if (response.status === 401 && (await askForToken())) continue;
    if (!response.ok) throw await refusal(response);
    return response;
  }
}

async function refusal(response) {
  try {
    return new Refused(response.status, (await response.json()).error);
  } catch {
    return new Refused(response.status, null);
  }
}

/** Ask for the token that `intentx serve` printed; whether one was given. */
function askForToken() {
  return new Promise((resolve) => {
    const sheet = byId("sheet");
    const box = make("input", { type: "password", autocomplete: "off", required: true, id: "token" });
    const form = make("form", { method: "dialog", submit: () => {
      token = box.value.trim();
      sessionStorage.setItem("token", token);
      sheet.close("token");
    } }, make("h2", { id: "sheet-title" }, "This server asks for a token"),
    make("p", null, "It was printed where intentx serve was started."),
    make("p", { class: "row" }, make("label", { for: "token" }, "Token "), box, make("button", { class: "main" }, "Go on")));
    sheet.replaceChildren(form);
    sheet.addEventListener("close", () => resolve(sheet.returnValue === "token"), { once: true });
    sheet.returnValue = "";
    if (!sheet.open) sheet.showModal();
    box.focus();
  });
}

export const get = async (path, signal) => (await request("GET", path, undefined, signal)).json();
export const post = async (path, body, signal) => (await request("POST", path, body, signal)).json();
export const page = async (path) => (await request("GET", path, undefined, undefined, "text/html")).blob();
/** Cancel a job, also while the page is left. */
export const cancel = (id) => fetch(`${ROOT}jobs/${encodeURIComponent(id)}`, { method: "DELETE", keepalive: true, headers: token ? { Authorization: `Bearer ${token}` } : {} }).catch(() => undefined);
export const query = (given) => new URLSearchParams(Object.entries(given).filter(([, value]) => value !== null && value !== undefined && value !== "")).toString();

// ---- jobs
/** Ask a long question; `tell` gets its job whenever that changes. The job as it ended. */
export async function work(kind, body, tell, signal) {
  const first = await post(kind, body, signal);
  const job = first.job || first;
  tell(job);
  return ENDED.has(job.state) ? job : follow(job, tell, signal);
}

/** Follow a job to its end. */
export async function follow(job, tell, signal) {
  let last = job;
  for (let tries = 0; !ENDED.has(last.state); tries += 1) {
    if (tries) await wait(Math.min(5000, 300 * tries), signal);
    try {
      const path = `jobs/${encodeURIComponent(job.id)}`;
      const response = await request("GET", `${path}/events`, undefined, signal, "text/event-stream");
      for await (const event of events(response, signal)) {
        last = event;
        tell(last);
        tries = 0;
      }
      if (!ENDED.has(last.state)) {
        const found = await get(path, signal);
        last = found.job || found;
        tell(last);
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      if (error instanceof Refused && error.status === 404) {
        last = { ...last, state: "lost", error: { message: "The server was started anew while it worked on this.", todo: "Ask again." } };
        tell(last);
      } else if (error instanceof Refused) throw error;
    }
  }
  return last;
}

/** The events of a stream, each as plain data. */
async function* events(response, signal) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      let part;
      try {
        part = await reader.read();
      } catch (error) {
        if (signal?.aborted) throw error;
        return; // the line broke: what has become of the job is asked for
      }
      if (part.done) return;
      text = (text + part.value).replaceAll("\r\n", "\n");
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const data = text.slice(0, end).split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
        text = text.slice(end + 2);
        if (data.length) {
          const told = JSON.parse(data.join("\n"));
          yield told.job || told;
        }
      }
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}
