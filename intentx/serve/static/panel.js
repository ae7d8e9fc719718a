// The panel beside the results: a question, how far it is, its answer, and what can be kept of it.
import { get, page, query } from "./api.js";
import { bdi, button, byId, make, note, sentence, tell, termPlaces, whole } from "./dom.js";
import { Run } from "./run.js";
import { copied, saved } from "./share.js";
import { toneOf } from "./parts.js";
import { viewOf } from "./views.js";

const LIVE = "shap"; // what goes on getting surer while one looks at the quickest

export class Panel {
  /** `app` has the results, and what the view of an answer can do to them. */
  constructor(root, app) {
    Object.assign(this, { root, app, run: null, runs: [], methods: new Map(), without: new Set(), kept: null });
    root.addEventListener("keydown", (event) => this.arrows(event));
  }

  get open() {
    return !this.root.hidden;
  }

  // ---- questions
  /** Ask a question anew: `{kind, body}`. With several methods, the quickest one first. */
  async ask(kind, body) {
    this.begin(kind, body);
    const turn = this.turn;
    this.show(null);
    const tabs = kind === "explain" ? await this.tabsOf(body) : [];
    if (turn !== this.turn) return;
    this.tabs = tabs;
    const usual = tabs.find((tab) => tab.method === (body.question === "ranking" ? "multiplex" : "deeplift")) || tabs.find((tab) => tab.method === LIVE);
    const first = body.method ? tabs.find((tab) => same(tab, body)) : usual || tabs[0];
    this.choose(first || null, true);
  }

  /** Show an answer that was kept. */
  async open_(kept) {
    const body = { ...kept.question };
    for (const [name, value] of Object.entries(body)) if (value === null) delete body[name];
    this.begin(kept.kind, body);
    this.without = new Set(body.without || []);
    const turn = this.turn;
    const run = new Run(kept.kind, body, kept);
    this.show(run);
    if (kept.kind !== "explain") return;
    const tabs = await this.tabsOf(body).catch(() => []);
    if (turn !== this.turn) return;
    this.tabs = tabs;
    this.tab = tabs.find((tab) => same(tab, body)) || null;
    if (this.tab) this.tab.run = run;
    this.render();
  }

  begin(kind, body) {
    this.leave();
    this.turn = Symbol(kind);
    Object.assign(this, { kind, body, tabs: [], tab: null, without: new Set(), fresh: true, kept: null });
    this.root.hidden = false;
    document.body.classList.add("with-panel");
  }

  /** Stop what nobody waits for any more. */
  leave() {
    for (const run of this.runs) {
      run.listener = null;
      if (run.answer === null && !run.failed) run.stop();
    }
    clearTimeout(this.later);
    this.runs = [];
  }

  close() {
    this.leave();
    this.turn = null;
    this.run = null;
    this.root.hidden = true;
    document.body.classList.remove("with-panel");
    this.app.unmark();
  }

  async tabsOf(body) {
    const name = `${body.ranker}\n${body.question}`;
    if (!this.methods.has(name)) {
      const found = await get(`methods?${query({ ranker: body.ranker, question: body.question })}`);
      this.methods.set(name, Array.isArray(found) ? found : found.methods || []);
    }
    const all = this.methods.get(name);
    const titles = all.map((method) => method.title);
    return all.flatMap((method) => {
      const labels = (method.settings || []).find((one) => one.name === "labels" && one.values?.length > 1 && one.values.length < 6);
      const named = all[titles.indexOf(method.title)] === method ? method.title : method.name; // a preset goes by its own name
      const tab = (title, settings) => ({ method: method.name, title, settings, about: method });
      return labels ? labels.values.map((value) => tab(`${named}: ${value === "topk" ? "top-k" : value}`, { labels: value })) : [tab(named, {})];
    });
  }

  bodyOf(tab) {
    const body = { ...this.body };
    delete body.method;
    delete body.settings;
    if (tab) {
      body.method = tab.method;
      const settings = { ...tab.settings, ...tab.changed };
      if (Object.keys(settings).length) body.settings = settings;
    }
    if (this.without.size) body.without = [...this.without];
    else delete body.without;
    return body;
  }

  choose(tab, fresh = false) {
    this.tab = tab;
    this.fresh = fresh;
    this.without = new Set(); // the terms of another answer are others
    clearTimeout(this.later);
    this.waiting = null;
    const run = tab?.run && !tab.run.failed && !tab.run.body.without ? tab.run : this.started(this.bodyOf(tab));
    if (tab) tab.run = run;
    this.show(run);
    if (run.answer !== null) this.arrived(run);
  }

  started(body) {
    const run = Run.of(this.kind, body);
    if (!this.runs.includes(run)) this.runs.push(run);
    run.listener = () => this.heard(run);
    run.start();
    return run;
  }

  heard(run) {
    if (run === this.run) {
      // What a person is about to click on stays where it is while only the progress changes.
      if (this.shownState === stateOf(run) && this.job) this.tellProgress();
      else this.render();
      if (run.answer !== null) this.arrived(run);
    } else this.renderTabs();
  }

  /** An answer is there: it has an address now, and a slower and surer one may follow. */
  arrived(run) {
    if (run.key) this.app.address(run.key, this.fresh);
    this.fresh = false;
    const verdict = this.root.querySelector(".verdict");
    tell(`Answered: ${verdict ? [...verdict.childNodes].map((part) => part.textContent).join(": ") : this.title().map((part) => part.textContent ?? part).join("")}`, false);
    if (this.kind !== "explain" || this.body.question === "ranking") return;
    const next = this.tabs.find((tab) => tab.method === LIVE);
    if (!next || next.run || next === this.tab || this.tab.method === "exs") return;
    next.run = this.started(this.bodyOf(next));
    this.renderTabs();
  }

  show(run) {
    this.run = run;
    this.render();
    this.root.scrollTop = 0;
  }

  // ---- terms that are taken out
  takeOut(term, out) {
    if (out) this.without.add(term);
    else this.without.delete(term);
    this.render();
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      const run = this.started(this.bodyOf(this.tab));
      this.waiting = run;
      run.listener = () => {
        if (this.waiting !== run) return;
        if (run.failed) tell(`${run.error?.message || ""} ${run.error?.todo || ""}`);
        if (run.answer === null) return;
        this.show(run);
        this.arrived(run);
      };
      run.listener();
    }, 500);
  }

  // ---- what is shown
  title() {
    const { body, kind } = this;
    const name = (id) => bdi(this.app.nameOf(id));
    if (kind === "compare") return ["Intents of ", bdi(body.rankers[0]), " and ", bdi(body.rankers[1]), " for “", bdi(body.query), "”"];
    if (kind === "score") return body.doc || !body.text ? ["What an edit does to ", body.doc ? name(body.doc) : "the ranking"] : ["Where your text would stand"];
    if (kind === "missing") return ["Where is ", body.doc ? name(body.doc) : "the text", "?"];
    if (kind === "counterfactual") {
      const goal = { enter: `that brings it into the first ${whole(body.top ?? 10)}`, leave: `that drops it from the first ${whole(body.top ?? 10)}`, above: "that puts it above the other", below: "that puts it below the other", rank: `that brings it to rank ${whole(body.rank)}` }[body.goal];
      return ["The smallest change of ", body.change === "query" ? "the query" : name(body.doc), ` ${body.change === "query" ? goal.replace(" it ", ` ${this.app.nameOf(body.doc)} `) : goal}`];
    }
    if (body.question === "pair") return ["Why is ", name(body.doc), " above ", name(body.above), "?"];
    if (body.question === "document") return ["Why is ", name(body.doc), this.app.rankOf(body.ranker, body.doc) ? ` at rank ${whole(this.app.rankOf(body.ranker, body.doc))}?` : " where it is?"];
    return ["Intent of ", bdi(body.ranker), " for “", bdi(body.query), "”"];
  }

  render() {
    if (!this.turn) return;
    const key = document.activeElement?.closest?.("#panel [data-focus]")?.dataset.focus;
    const row = document.activeElement?.closest?.("#panel tr[data-key]")?.dataset.key;
    const { run } = this;
    const scrolled = this.tabBar?.scrollLeft || 0;
    this.shownState = run && stateOf(run);
    this.tabBar = make("div", { class: "tabs", role: "group", "aria-label": "Methods" });
    this.root.replaceChildren(
      make("header", { class: "panel-head" }, make("h2", { tabindex: -1, "data-focus": "title" }, ...this.title()), button("×", () => this.app.closePanel(), { class: "cross", "aria-label": "Close the explanation", title: "Close (Escape)", "data-focus": "close" })),
      make("p", { class: "note" }, ["ranker" in this.body ? bdi(this.body.ranker) : null, "ranker" in this.body ? " · " : null, "“", bdi(this.body.query), "” · ", bdi(this.body.collection)]),
      ...[this.tabBar, this.progress(), ...this.answerParts(), this.follow(), this.shareBar()].filter((part) => part),
    );
    this.renderTabs();
    this.tabBar.scrollLeft = scrolled;
    this.reveal();
    if (key) this.root.querySelector(`[data-focus="${CSS.escape(key)}"]`)?.focus();
    else if (row) this.root.querySelector(`tr[data-key="${CSS.escape(row)}"] button`)?.focus();
  }

  renderTabs() {
    if (!this.tabBar) return;
    this.tabBar.hidden = this.tabs.length < 2;
    if (this.tabBar.childElementCount !== this.tabs.length) {
      this.tabBar.replaceChildren(...this.tabs.map((tab, i) => button([tab.title, make("small")], () => this.choose(tab),
        { title: tab.about.note || null, "data-focus": `tab ${i}`, "data-method": tab.method })));
    }
    this.tabs.forEach((tab, i) => {
      const state = tab.run?.state;
      const { done = 0, of = 0 } = tab.run?.job?.progress || {};
      const element = this.tabBar.children[i];
      element.setAttribute("aria-pressed", String(tab === this.tab));
      element.lastChild.textContent = state === "done" ? " ✓" : state === "running" || state === "queued" ? (of ? ` ${Math.floor((100 * done) / of)} %` : " …") : "";
    });
  }

  /** On a narrow screen the tabs scroll: the chosen one is seen. */
  reveal() {
    const chosen = this.tabBar.querySelector('[aria-pressed="true"]');
    if (!chosen || this.revealed === this.tab) return;
    this.revealed = this.tab;
    const [bar, tab] = [this.tabBar, chosen].map((one) => one.getBoundingClientRect());
    if (tab.left < bar.left || tab.right > bar.right) this.tabBar.scrollLeft += tab.left - bar.left - 12;
  }

  arrows(event) {
    const tabs = [...(this.tabBar?.children || [])];
    const at = tabs.indexOf(event.target);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (at < 0 || !step) return;
    event.preventDefault();
    tabs[(at + step + tabs.length) % tabs.length].focus();
  }

  /** How far the question is; what went wrong. */
  progress() {
    const { run } = this;
    this.job = null;
    if (!run || run.answer !== null) return run?.job?.warning ? note(run.job.warning) : null;
    const again = button("Ask again", () => this.tab || this.kind !== "explain" ? this.again() : this.ask(this.kind, this.body), { "data-focus": "again" });
    if (run.state === "cancelled") return make("div", { class: "job", role: "status" }, make("p", null, "Cancelled."), again);
    if (run.failed) {
      const told = run.error || {};
      const message = told.message || "the server did not say why";
      const missing = this.kind === "missing" && /^not found: /i.test(message);
      const head = run.state === "lost" ? "Lost" : missing ? "Not found" : "No answer";
      return make("div", { class: "job failed", role: "alert" }, make("p", null, make("b", { class: "badge" }, head), make("span", { dir: "auto" }, sentence(missing ? message.slice(11) : message))), told.todo ? make("p", { dir: "auto" }, sentence(told.todo)) : null, missing ? this.wouldStand() : again);
    }
    this.job = make("div", { class: "job" }, make("p", { id: "job-said" }), make("progress", { "aria-labelledby": "job-said" }), button("Cancel", () => run.stop(), { "data-focus": "cancel" }));
    this.tellProgress();
    return this.job;
  }

  /** For a text that no document of the collection has: what a search would do with it. */
  wouldStand() {
    const { top, ...body } = this.body;
    return body.text ? button("Where would it stand?", () => this.app.ask("score", body), { "data-focus": "stand" }) : null;
  }

  tellProgress() {
    const { run } = this;
    const job = run.job || {};
    const { done = 0, of = 0, what = "" } = job.progress || {};
    const [text, bar] = this.job.children;
    text.textContent = run.state === "running" ? `${what || "Working"}${of ? `: ${whole(done)} of ${whole(of)}` : done ? `: ${whole(done)}` : ""}` : job.place > 0 ? `Waiting: place ${whole(job.place)} in the queue` : "Waiting for its turn";
    if (of) Object.assign(bar, { max: of, value: Math.min(done, of) });
    else bar.removeAttribute("value");
  }

  again() {
    if (this.tab) this.tab.run = null;
    this.choose(this.tab);
  }

  answerParts() {
    const answer = this.run?.answer ?? this.run?.partial;
    if (!answer) return this.run ? [] : [make("p", { class: "note" }, "…")];
    const partial = this.run.answer === null;
    const marks = this.marksOf(answer);
    if (marks) this.app.mark(marks.terms, answer.forms, marks.tones);
    else this.app.unmark(); // of an answer without words, such as features
    const parts = viewOf(answer, {
      root: this.root,
      without: this.without,
      nameOf: (id) => this.app.nameOf(id),
      point: (number) => this.app.point(number === null || !marks ? number : marks.at(number)),
      keep: (number) => this.app.keep(marks ? marks.at(number) : number),
      terms: (terms) => this.app.mark(terms, answer.forms),
      takeOut: (term) => this.takeOut(term, true),
      put: (term) => this.takeOut(term, false),
      edit: (doc, text) => this.app.edit(doc, text),
      download: () => this.download(),
    });
    return [partial ? note("So far; it gets surer.") : null, make("div", { class: "answer", "aria-busy": partial ? "true" : null }, parts), partial ? null : this.settings()].filter((part) => part);
  }

  /** Which words the snippets are cut by: those of the ranking, or the strongest of the document. */
  marksOf(answer) {
    if (!Array.isArray(answer.terms) || !answer.terms.length) return null;
    if (this.body.question === "document" || this.body.question === "pair") {
      const least = 0.2 * Math.max(...answer.weights.map(Math.abs));
      const texts = (answer.ranking?.texts || []).slice(0, 50);
      // Words that most results hold, such as "the", would cover them with colour.
      const strong = answer.terms.filter((term, i) => i < 40 && Math.abs(answer.weights[i]) >= least);
      const rare = strong.filter((term) => texts.filter((text) => termPlaces(text, [term], answer.forms).length).length <= Math.max(3, 0.5 * texts.length) || this.inQuery(term, answer.forms));
      const shown = rare.slice(0, 12);
      const largest = Math.max(...answer.weights.map(Math.abs));
      const tones = shown.map((term) => toneOf(answer.weights[answer.terms.indexOf(term)], largest)); // as in the text beside them
      return { terms: shown, tones, at: (number) => { const at = shown.indexOf(answer.terms[number]); return at < 0 ? null : at; } };
    }
    const terms = answer.terms.filter((term) => !this.without.has(term));
    return { terms, at: (number) => { const at = terms.indexOf(answer.terms[number]); return at < 0 ? null : at; } };
  }

  inQuery(term, forms) {
    return termPlaces(this.body.query, [term], forms).length > 0;
  }

  /** The settings of the method, to be changed. */
  settings() {
    const all = (this.tab?.about.settings || []).filter((one) => ["string", "number", "boolean"].includes(typeof one.default) || one.values);
    if (!all.length) return null;
    const now = { ...this.tab.settings, ...this.tab.changed };
    const boxes = all.map((one) => {
      const at = now[one.name] ?? one.default;
      const box = one.values ? make("select", null, one.values.map((value) => make("option", { value: JSON.stringify(value), selected: value === at }, String(value))))
        : typeof one.default === "boolean" ? make("input", { type: "checkbox", checked: at })
          : make("input", { type: typeof one.default === "number" ? "number" : "text", step: "any", value: at });
      const read = () => (one.values ? JSON.parse(box.value) : box.type === "checkbox" ? box.checked : box.type === "number" ? Number(box.value) : box.value);
      return { one, at, read, field: make("label", { title: one.words || null }, make("span", null, one.name.replaceAll("_", " ")), " ", box) };
    });
    const apply = (event) => {
      event.preventDefault();
      this.tab.changed = Object.fromEntries(boxes.filter(({ one, read }) => read() !== (this.tab.settings[one.name] ?? one.default)).map(({ one, read }) => [one.name, read()]));
      this.again();
    };
    return make("details", null, make("summary", null, "With other settings"), make("form", { class: "settings", submit: apply }, boxes.map(({ field }) => field), make("button", null, "Explain with these")));
  }

  /** What one may want to know next. */
  follow() {
    const { body } = this;
    const id = body.doc;
    if (!id || !this.run || body.text || !this.app.asks(body.ranker)) return null;
    const rank = this.app.rankOf(body.ranker, id);
    if (rank === null && this.kind === "missing") return null; // only what the ranker orders can be explained
    const base = { collection: body.collection, query: body.query, ranker: body.ranker, k: body.k, doc: id };
    const top = this.app.firstOf(body.ranker);
    const change = (goal, text, more = {}) => button(text, () => this.ask("counterfactual", { ...base, goal, ...(goal === "below" ? {} : { top }), ...more }), { "data-focus": `${goal} ${more.change || ""}` });
    const pair = body.question === "pair";
    return make("nav", { class: "follow", "aria-label": "What next" }, pair ? change("below", "Smallest change that puts it below", { above: body.above }) : top < 1 ? null : rank !== null && rank <= top
      ? [change("leave", "Smallest change that drops it"), change("leave", "… of the query", { change: "query" })]
      : [change("enter", `Smallest change that brings it into the first ${whole(top)}`), change("enter", "… of the query", { change: "query" })],
    this.kind === "explain" && !pair ? null : button("Explain it", () => this.ask("explain", { ...base, question: "document" })),
    rank === null ? null : button("Edit its text", () => this.app.edit(id)));
  }

  // ---- keep and share
  shareBar() {
    if (!this.run?.answer || !this.run.key) return null;
    const { run } = this;
    const link = new URL(`/a/${encodeURIComponent(run.key)}`, location.href).href;
    return make("p", { class: "share", role: "group", "aria-label": "Keep and share" },
      button("Copy link", () => copied(link, "The link")), button("Copy as JSON", () => copied(JSON.stringify(run.answer, null, 1), "The JSON")),
      button("Copy as Python", async () => copied((await run.full()).python, "The Python")), button("Download page", () => this.download()));
  }

  async download() {
    try {
      saved(await page(`answers/${encodeURIComponent(this.run.key)}/page`), `${this.kind}-${this.run.key.slice(0, 8)}.html`);
    } catch (error) {
      tell(`${error.message} ${error.todo || ""}`);
    }
  }
}

const stateOf = (run) => `${run.state} ${run.answer !== null} ${run.partial ? JSON.stringify(run.partial) : ""}`;
const same = (tab, body) => tab.method === String(body.method || "").toLowerCase() && Object.entries(tab.settings).every(([name, value]) => (body.settings?.[name] ?? tab.about.settings.find((one) => one.name === name)?.default) === value);
export const focusPanel = () => byId("panel").querySelector("h2")?.focus();
