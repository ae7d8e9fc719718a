// The results: one or two columns of documents, with lines between where one stands left and right.
import { bdi, bestPart, button, draw, failure, make, marked, real, seconds, several, termPlaces, unitsOf, whole, writtenAs } from "./dom.js";
import { drags } from "./drag.js";

const COLOURS = 12;

export class Results {
  /** `act` has what a person can do with a document: explain, edit, pair, and so on. */
  constructor(root, act) {
    this.root = root;
    this.act = act;
    this.columns = [];
    this.terms = [];
    this.picked = null;
    this.current = null;
    this.sizes = new ResizeObserver(() => this.link());
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("focusin", (event) => this.focused(event.target.closest?.(".card")));
    drags(root, (from, to) => this.pairOf(from, to));
    for (const type of ["pointerover", "focusin"]) root.addEventListener(type, (event) => this.pair(event.target.closest?.(".card")));
  }

  /** Show an answer of the search. */
  show(found) {
    this.found = found;
    this.columns = found.rankings.map((ranking, i) => new Column(this, ranking, i, found));
    this.sizes.disconnect();
    this.picked = null;
    this.current = null;
    const two = this.columns.length > 1;
    this.lines = two ? draw("svg", { class: "links", "aria-hidden": "true" }) : null;
    this.bar = make("div", { class: "results-bar" });
    this.root.replaceChildren(this.bar, make("div", { class: two ? "columns two" : "columns" },
      this.columns[0].element, this.lines, two ? this.columns[1].element : null));
    this.columns.forEach((column) => this.sizes.observe(column.list));
    this.root.querySelector(".card")?.setAttribute("tabindex", "0");
    this.mark([]);
  }

  /** The results of a ranker that was slower than the other one. */
  fill(ranking, i) {
    const old = this.columns[i];
    const within = old.element.contains(document.activeElement);
    this.found.rankings[i] = ranking;
    const column = new Column(this, ranking, i, this.found);
    this.columns[i] = column;
    this.sizes.unobserve(old.list);
    old.element.replaceWith(column.element);
    this.sizes.observe(column.list);
    if (within) column.element.querySelector("button")?.focus();
    if (!this.root.querySelector('.card[tabindex="0"]')) this.root.querySelector(".card")?.setAttribute("tabindex", "0");
    this.mark(this.terms, this.forms, this.tones);
    if (this.picked) this.setPicked(this.picked);
  }

  /** The words of an explanation: snippets are cut by them. Without any, the words of the query are bold. `tones`: classes of their marks. */
  mark(terms, forms = {}, tones = null) {
    Object.assign(this, { terms, forms, tones });
    for (const column of this.columns) for (const card of column.cards.values()) card.write();
    this.link();
  }

  /** Highlight one term of the explanation, or none. */
  point(number) {
    this.root.classList.toggle("pointing", number !== null);
    for (const one of this.root.querySelectorAll("mark[data-term]")) one.classList.toggle("pointed", number !== null && one.dataset.term === String(number));
    for (const card of this.root.querySelectorAll(".card")) card.classList.toggle("without", number !== null && !card.querySelector("mark.pointed"));
  }

  /** Where a document stands in the other column; null where there is none. */
  other(column, docId) {
    const other = this.columns[1 - column.number];
    return other?.done ? other.rankOf(docId) : undefined;
  }

  card(element) {
    return element ? this.columns[Number(element.dataset.column)]?.cards.get(element.dataset.doc) : undefined;
  }

  focused(element) {
    if (!element || element === this.current) return;
    this.root.querySelectorAll('.card[tabindex="0"]').forEach((one) => one.setAttribute("tabindex", "-1"));
    element.setAttribute("tabindex", "0");
    this.current = element;
  }

  /** Light up a document in both columns. */
  pair(element) {
    const id = element?.dataset.doc;
    for (const one of this.root.querySelectorAll(".card, .links path")) one.classList.toggle("lit", one.dataset.doc === id && id !== undefined);
  }

  key(event) {
    if (!event.target.classList?.contains("card") || event.ctrlKey || event.metaKey || event.altKey) return;
    const element = event.target;
    const column = this.columns[Number(element.dataset.column)];
    const cards = [...column.list.querySelectorAll(".card")];
    const here = cards.indexOf(element);
    const steps = { ArrowDown: 1, ArrowUp: -1, Home: -here, End: cards.length - 1 - here };
    let to = null;
    if (event.key in steps) to = cards[Math.max(0, Math.min(cards.length - 1, here + steps[event.key]))];
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const other = this.columns[column.number + (event.key === "ArrowRight" ? 1 : -1)];
      if (other) to = other.cards.get(element.dataset.doc)?.element || other.list.querySelectorAll(".card")[here] || null;
    } else if (event.key === "Enter") this.card(element)?.unfold();
    else return;
    event.preventDefault();
    to?.focus();
  }

  /** The first step of "why is A above B", and the second. */
  pick(card) {
    const first = this.picked;
    if (!first || first.element === card.element || !first.element.isConnected) {
      this.setPicked(first && first.element === card.element ? null : card);
      return;
    }
    this.setPicked(null);
    this.pairOf(first.element, card.element);
  }

  setPicked(card) {
    this.picked?.element.classList.remove("picked");
    this.picked = card;
    card?.element.classList.add("picked");
    for (const one of this.root.querySelectorAll('[data-act="pick"]')) {
      one.textContent = card ? (one.closest(".card") === card.element ? "Not this" : "… with this") : "Compare";
    }
    this.act.picked(card);
  }

  pairOf(from, to) {
    const [one, other] = [this.card(from), this.card(to)];
    if (!one || !other || one.id === other.id) return;
    const column = other.column;
    if (!column.asks) this.act.asks(column.ranker, true);
    else if (column.rankOf(one.id) === null) this.act.cannot(`${one.name} is not among these results of ${column.ranker}.`);
    else this.act.pair(column.ranker, ...[one.id, other.id].sort((a, b) => column.rankOf(a) - column.rankOf(b)));
  }

  /** Lines between the two columns. */
  link() {
    if (!this.lines) return;
    const box = this.lines.getBoundingClientRect();
    const [left, right] = this.columns;
    const lines = [];
    for (const [id, card] of left.cards) {
      const other = right.cards.get(id);
      if (!other || !box.width) continue;
      const middle = ({ element }) => {
        const at = element.getBoundingClientRect();
        return Math.round(at.top - box.top + Math.min(at.height / 2, 22));
      };
      const [from, to] = [middle(card), middle(other)];
      const moved = right.rankOf(id) - left.rankOf(id);
      lines.push(draw("path", { "data-doc": id, class: moved === 0 ? "same" : moved < 0 ? "rises" : "falls",
        d: `M0 ${from}C${box.width / 2} ${from} ${box.width / 2} ${to} ${box.width} ${to}` }));
    }
    this.lines.replaceChildren(...lines);
  }
}

/** The results of one ranker. */
class Column {
  constructor(results, ranking, number, found) {
    Object.assign(this, { results, number, ranker: ranking.ranker, k: found.k, error: ranking.error || null, pending: Boolean(ranking.pending), done: !ranking.error && !ranking.pending, asks: !ranking.error && results.act.asks(ranking.ranker) });
    this.order = ranking.results.map((one) => one.doc_id);
    this.first = this.order;
    this.list = make("ol", { class: "list" });
    this.cards = new Map(ranking.results.map((one) => [one.doc_id, new Card(this, one)]));
    this.list.append(...[...this.cards.values()].map((card) => card.slot));
    const name = `results-of-${number}`;
    const explain = !this.error && button("Explain intent", () => results.act.intent(this.ranker), { class: "quiet", "aria-label": `Explain intent of ${this.ranker}` });
    this.element = make("section", { class: "column", "aria-labelledby": name },
      make("header", { class: "column-head" }, make("h2", { id: name }, bdi(this.ranker)),
        !this.done ? null : make("small", null, `${several(this.order.length, "result")}${ranking.seconds === undefined ? "" : ` · ${seconds(ranking.seconds)}`}`), explain),
      (ranking.notes || []).map((text) => make("p", { class: "note", dir: "auto" }, text)),
      this.pending ? make("p", { class: "note waiting" }, "Searching …") : this.error ? failure(this.error, "No results: ") : this.order.length ? this.list : make("p", { class: "empty" }, "Nothing found: no document holds a word of the query. Try other words, or another collection."));
  }

  /** The document's rank from 1 as it stands; null where it is not in the list. */
  rankOf(id) {
    const at = this.order.indexOf(id);
    return at < 0 ? null : (this.cards.get(id)?.rank ?? at + 1);
  }

  /** Put the documents in another order, with a ghost where `ghost` was; the element with the focus stays. */
  reorder(after, ghost) {
    const before = new Map(this.first.map((id, i) => [id, i + 1]));
    const rows = after.filter((one) => this.cards.has(one.doc_id));
    this.order = rows.map((one) => one.doc_id);
    rows.forEach((one, i) => this.cards.get(one.doc_id).moved(one.score, one.rank ?? i + 1, before.get(one.doc_id)));
    this.list.querySelectorAll(".ghost").forEach((one) => one.remove());
    const slots = rows.map((one) => this.cards.get(one.doc_id).slot);
    for (const [id, card] of this.cards) if (!this.order.includes(id)) slots.push(card.slot);
    const fixed = slots.find((slot) => slot.contains(document.activeElement));
    const at = fixed ? slots.indexOf(fixed) : slots.length;
    if (fixed) fixed.before(...slots.slice(0, at));
    this.list.append(...slots.slice(fixed ? at + 1 : 0));
    if (ghost && before.has(ghost)) this.haunt(ghost, before.get(ghost));
    this.results.link();
  }

  /** A ghost where a document was. */
  haunt(id, rank) {
    const card = this.cards.get(id);
    if (!card || card.rank === rank) return;
    const others = [...this.list.children].filter((slot) => slot !== card.slot);
    const ghost = make("li", { class: "ghost" }, `${whole(rank)} · `, bdi(card.name), " was here");
    const follows = others[rank - 1];
    if (follows) follows.before(ghost);
    else this.list.append(ghost);
  }

  /** As the search answered. */
  restore() {
    for (const card of this.cards.values()) card.restore();
    this.order = this.first;
    this.list.querySelectorAll(".ghost").forEach((one) => one.remove());
    this.list.append(...this.first.map((id) => this.cards.get(id).slot));
    this.results.link();
  }
}

/** One document of a column. */
class Card {
  constructor(column, one) {
    Object.assign(this, { column, one, id: one.doc_id, text: one.text || "", rank: one.rank, score: one.score });
    this.name = one.title || one.doc_id;
    const results = column.results;
    const act = (text, key, click, more) => button(text, (event) => {
      event.stopPropagation();
      click(this);
    }, { "data-act": key, tabindex: -1, "aria-label": `${text}: ${this.name}`, ...more });
    this.place = make("b", { class: "rank" }, whole(this.rank));
    this.told = make("span", { class: "score" });
    this.words = make("p", { class: "snippet", dir: "auto" });
    this.more = act("Whole text", "text", () => this.unfold(), { "aria-expanded": "false" });
    this.more.hidden = true;
    this.element = make("article", {
      class: "card", tabindex: -1, "data-doc": this.id, "data-column": column.number, "aria-keyshortcuts": "E X P",
      "aria-label": `${this.rank}, ${this.name}`,
    },
    make("header", column.asks ? { class: "grip", title: "Drag it on another result to ask why one is above the other" } : null,
      this.place, make("h3", { dir: "auto" }, this.name),
      one.title ? make("small", { class: "id" }, bdi(this.id)) : null, this.told),
    this.words,
    make("p", { class: "acts" }, column.asks ? [
      act("Explain", "explain", () => results.act.explain(column.ranker, this.id), { title: "Which words put it here (e)" }),
      act("Compare", "pick", () => results.pick(this), { title: "Why one is above another: pick two (p)" }),
      act("Edit", "edit", () => results.act.edit(this), { title: "Change its text and see where it goes (x)" })] : null,
      this.more));
    this.slot = make("li", null, this.element);
    this.tellScore();
  }

  tellScore() {
    const { before } = this;
    const parts = [make("span", { title: "score" }, real(this.score))];
    if (before !== undefined && before !== this.rank) parts.push(make("span", { class: this.rank < before ? "up" : "down" },
      `${this.rank < before ? "▲" : "▼"}${whole(Math.abs(before - this.rank))} was ${whole(before)}`));
    const first = this.one.first_rank;
    if (known(first) && first !== this.one.rank) parts.push(make("span", { title: "Rank in the first stage" }, `first stage ${whole(first)}`));
    const other = this.column.results.columns?.length > 1 ? this.column.results.other(this.column, this.id) : undefined;
    if (other !== undefined) {
      const side = bdi(this.column.results.columns[1 - this.column.number].ranker);
      parts.push(other === null ? make("span", { class: "only" }, `not in the first ${whole(this.column.k)} of `, side)
        : make("span", { class: other === this.rank ? "" : other < this.rank ? "up" : "down" }, side, ` ${whole(other)}`));
    }
    this.told.replaceChildren(...parts);
  }

  /** The snippet: by the explanation's words, else as the server cut it. */
  write() {
    const { terms, forms, tones, found } = this.column.results;
    const unit = unitsOf(this.text);
    let places = terms.length ? termPlaces(this.text, terms, forms) : (this.one.snippet || []).map(([start, end], i) => ({ start: unit(start), end: unit(end), term: i }));
    if (!terms.length && !places.length) places = termPlaces(this.text, found.query.split(/\s+/).filter((word) => word));
    const marks = places.map((one) => ({ ...one, make: (text) => (terms.length
      ? make("mark", { class: tones ? tones[one.term] : `t${one.term % COLOURS}`, "data-term": one.term, title: writtenAs(terms[one.term], forms) }, text) : make("b", null, text)) }));
    const [start, end] = this.open ? [0, this.text.length] : bestPart(this.text, places, this.column.results.columns.length > 1 ? 170 : 260);
    this.words.replaceChildren(...(this.text.trim() ? [start > 0 ? "…\u00a0" : "", ...marked(this.text, marks, start, end), end < this.text.length ? "\u00a0…" : ""] : [make("em", null, "(no text)")]));
    this.more.hidden = !this.open && start <= 0 && end >= this.text.length;
    this.more.textContent = this.open ? "Less" : "Whole text";
    this.tellScore();
  }

  unfold() {
    this.open = !this.open;
    this.more.setAttribute("aria-expanded", String(this.open));
    this.element.classList.toggle("unfolded", this.open);
    this.write();
    this.column.results.link();
  }

  moved(score, rank, before) {
    this.score = score ?? this.score;
    this.rank = rank;
    this.place.textContent = whole(rank);
    this.element.setAttribute("aria-label", `${rank}, ${this.name}`);
    this.before = before;
    this.tellScore();
  }

  restore() {
    Object.assign(this, { score: this.one.score, rank: this.one.rank });
    this.moved(this.score, this.rank);
  }
}

const known = (value) => typeof value === "number";
