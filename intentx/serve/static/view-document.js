// One document: words for and against on colours in its text, with numbers; also of a pair.
import { bdi, known, make, note, real, several, signed, termPlaces, whole, writtenAs } from "./dom.js";
import { bars, coloured, facts, fold, legend, made, matrix, textOf, value, verdict } from "./parts.js";

const SIZES = new Map([["Saliency", "matters"], ["Attention", "attended to"]]); // weights without a direction
const ONE_SIDED = new Set(["GradCAM"]); // nothing can speak against a document

export function documentView(answer, context) {
  const pair = answer.above !== null && answer.above !== undefined;
  const largest = Math.max(0, ...answer.weights.map((weight) => Math.abs(weight) || 0));
  const told = make("output", { class: "told-word" });
  const point = (word) => {
    told.textContent = word === null ? "" : `${writtenAs(word, answer.forms)} ${signed(answer.weights[answer.terms.indexOf(word)], largest)}`;
    for (const one of context.root.querySelectorAll("[data-word]")) one.classList.toggle("pointed", word !== null && one.dataset.word === word);
    context.point(word === null ? null : answer.terms.indexOf(word));
  };
  const rows = answer.terms.map((term, i) => ({
    name: term,
    weight: answer.weights[i],
    head: make("button", { type: "button", class: "plain", "data-word": term, title: "Highlight it", click: () => point(term) }, bdi(writtenAs(term, answer.forms))),
    row: { pointerenter: () => point(term), pointerleave: () => point(null), focusin: () => point(term), focusout: () => point(null) },
  }));
  if (known(answer.rest)) rows.splice(Math.min(rows.length, 19), 0, { head: make("em", null, "the rest: no word"), weight: answer.rest });
  const sides = SIZES.has(answer.method) ? { for: SIZES.get(answer.method) } : ONE_SIDED.has(answer.method) ? { for: "for it" }
    : pair ? { against: "for the other", for: "for this one" } : { against: "against it", for: "for it" };
  return [
    ...verdict(answer),
    make("div", { class: "key" }, legend(largest, sides), told),
    pair ? make("h3", null, bdi(context.nameOf(answer.doc_id))) : null,
    coloured(answer.document ?? textOf(answer, answer.doc_id), answer.words, point),
    pair ? [make("h3", null, "… above ", bdi(context.nameOf(answer.above))), otherText(answer, point)] : null,
    bars(rows, { label: "Words and their weights", head: "word", unsigned: SIZES.has(answer.method) }),
    note(`The ${pair ? "difference of the scores" : "score"}: ${pair && known(answer.metrics?.other_score) ? real(answer.metrics.score - answer.metrics.other_score) : real(answer.metrics?.score)}.`),
    answer.unseen?.length ? note(`The ranker does not read ${several(answer.unseen.length, "word")}: `, answer.unseen.slice(0, 30).map((term, i) => [i ? ", " : "", bdi(term)]), answer.unseen.length > 30 ? " …" : "", ".") : null,
    answer.map ? matrix("Query terms × words of the document", answer.map, answer.query_terms, answer.words.map((word) => word.term)) : null,
    fold("Numbers of the method", () => facts(Object.entries(answer.metrics || {}).map(([name, one]) => [name.replaceAll("_", " "), value(one)]))),
    made(answer),
  ];
}

/** The text of the document that it is compared with, with the words that have a weight. */
function otherText(answer, point) {
  const text = textOf(answer, answer.above);
  const words = termPlaces(text, answer.terms, answer.forms).map((one) => ({ term: answer.terms[one.term], start: one.start, end: one.end, weight: answer.weights[one.term] }));
  const codes = codesOf(text);
  return coloured(text, words.map((word) => ({ ...word, start: codes(word.start), end: codes(word.end) })), point);
}

/** The inverse of `unitsOf`. */
function codesOf(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (place) => place;
  const codes = [];
  let number = 0;
  for (const letter of text) {
    for (let i = 0; i < letter.length; i += 1) codes.push(number);
    number += 1;
  }
  codes.push(number);
  return (place) => codes[place];
}

export const shownRank = (rank) => (known(rank) ? whole(rank) : "–");
