// Edit and see: another text of a document, or another query, and where that puts the documents.
import { work, cancel } from "./api.js";
import { button, known, make, real, tell, whole } from "./dom.js";

const PAUSE = 250; // milliseconds without a key before the ranker is asked

export class Editor {
  /** `app` has the results and the search. */
  constructor(app) {
    Object.assign(this, { app, card: null, query: null, asked: [] });
  }

  get active() {
    return Boolean(this.card || this.query);
  }

  /** Edit the text of a document where it stands; `text` is what the box begins with. */
  open(card, text = card.text) {
    if (this.card !== card) this.closeCard();
    if (!this.card) {
      this.card = card;
      this.box = make("textarea", { dir: "auto", rows: 6, maxlength: 100000, "aria-label": `Text of ${card.name}`, input: () => this.later(), spellcheck: "false" });
      this.told = make("output", { class: "seen", "aria-live": "polite" });
      const base = () => ({ ...this.app.base(card.column.ranker), doc: card.id });
      const top = this.app.firstOf(card.column.ranker);
      const change = (goal, words) => button(words, () => this.app.ask("counterfactual", { ...base(), goal, top }));
      this.form = make("div", { class: "editor" }, this.box, this.told, make("p", { class: "acts" },
        top > 0 ? card.one.rank > top ? change("enter", `Smallest change that brings it into the first ${whole(top)}`) : change("leave", "Smallest change that drops it") : null,
        button("As it was", () => this.reset()), button("Done", () => this.close())));
      card.element.classList.add("editing");
      card.words.after(this.form);
    }
    this.box.value = text;
    this.box.focus();
    if (text !== card.text) this.later();
    this.app.results.link();
  }

  /** Edit the query, and see where the documents go. */
  openQuery() {
    if (this.query) return this.query.focus();
    const { results } = this.app;
    const query = results.found.query;
    this.query = make("input", { type: "text", dir: "auto", value: query, maxlength: 2000, "aria-label": "Another query for the same documents", input: () => this.later() });
    this.queryTold = make("output", { class: "seen", "aria-live": "polite" });
    this.queryForm = make("form", { class: "editor query", submit: (event) => {
      event.preventDefault();
      this.app.searchFor(this.query.value);
    } }, make("p", { class: "note" }, "The same documents, ranked for another query:"), make("div", { class: "row" }, this.query, make("button", { type: "submit" }, "Search for it"),
      button("As it was", () => this.reset()), button("Done", () => this.close())), this.queryTold);
    results.bar.after(this.queryForm);
    this.query.focus();
    this.query.setSelectionRange(query.length, query.length);
    return undefined;
  }

  reset() {
    if (this.card) this.box.value = this.card.text;
    if (this.query) this.query.value = this.app.results.found.query;
    this.stop();
    this.app.results.columns.forEach((column) => column.restore());
    this.say("As it was.");
    (this.card ? this.box : this.query)?.focus();
  }

  close() {
    const { card } = this;
    this.stop();
    this.closeCard();
    this.queryForm?.remove();
    this.query = null;
    this.app.results.columns.forEach((column) => column.restore());
    card?.element.focus();
  }

  closeCard() {
    this.form?.remove();
    this.card?.element.classList.remove("editing");
    this.card = null;
    this.form = null;
  }

  /** The results are others now. */
  forget() {
    this.stop();
    this.card = null;
    this.form = null;
    this.query = null;
    this.queryForm?.remove();
  }

  stop() {
    clearTimeout(this.timer);
    for (const one of this.asked) one.abort(new Error("another edit"));
    this.asked = [];
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.see(), PAUSE);
  }

  say(text) {
    for (const told of [this.card ? this.told : null, this.query ? this.queryTold : null]) if (told) told.replaceChildren(...[text].flat());
  }

  /** Ask every ranker on the page. */
  see() {
    this.stop();
    const { results } = this.app;
    const text = this.card && this.box.value !== this.card.text ? this.box.value : null;
    const edited = this.query && this.query.value.trim() && this.query.value !== results.found.query ? this.query.value : null;
    if (text === null && edited === null) {
      results.columns.forEach((column) => column.restore());
      return this.say("As it was.");
    }
    if (text !== null && !text.trim()) return this.say("An empty text cannot be ranked.");
    this.say("…");
    for (const column of results.columns) if (column.asks && (text === null || edited !== null || column.cards.has(this.card.id))) this.ask(column, text, edited);
    return undefined;
  }

  async ask(column, text, edited) {
    const control = new AbortController();
    this.asked.push(control);
    const body = this.app.base(column.ranker);
    if (text !== null && column.cards.has(this.card.id)) Object.assign(body, { doc: this.card.id, text });
    if (edited !== null) body.edited_query = edited;
    let last = null;
    control.signal.addEventListener("abort", () => last && last.state !== "done" && cancel(last.id));
    try {
      const job = await work("score?wait=5", body, (one) => {
        last = one;
        if (one.state === "queued" && one.place > 1) this.say(`Waiting: place ${whole(one.place)} in the queue`);
      }, control.signal);
      if (control.signal.aborted) return;
      if (job.state === "done") this.seen(column, job.answer, body.doc);
      else this.say(job.error ? `${job.error.message} ${job.error.todo || ""}` : "No answer.");
    } catch (error) {
      if (!control.signal.aborted) this.say(`${error.message} ${error.todo || ""}`);
    }
  }

  seen(column, answer, doc) {
    column.reorder(answer.after, doc ?? this.app.results.current?.dataset.doc ?? column.first[0]);
    const moved = answer.doc;
    if (!moved || column !== this.card?.column) {
      if (!doc) this.say(`${whole(answer.after.filter((one, i) => answer.before[i]?.doc_id !== one.doc_id).length)} of ${whole(answer.after.length)} places have another document.`);
      return;
    }
    const [from, to] = [moved.rank_before, moved.rank_after];
    this.say(make("span", null, "Rank ", make("b", null, known(from) ? whole(from) : "–"), " → ", make("b", { class: to < from ? "up" : to > from ? "down" : "" }, known(to) ? whole(to) : "not found"),
      `, score ${real(moved.score_before)} → ${real(moved.score_after)}`));
    if (this.card) this.card.element.scrollIntoView({ block: "nearest" });
  }
}

export const cannotEdit = () => tell("It is not among the results, so that there is nothing to edit.");
