// What methods show that look inside a ranker: which tokens matched, and what heads attend to.
import { bdi, draw, make, note, percent, real, several, signed, unitsOf } from "./dom.js";
import { coloured, facts, fold, largestOf, matrix, textOf } from "./parts.js";
import { documentView } from "./view-document.js";

const LINKS = 16; // pairs with a link
const STEP = 22; // from one token to the next
const LETTERS = 28; // of a token beside the links
const WAYS = {
  maxima: "each token of the query with its best match (exact)",
  products: "products of the weights that both texts give a term (exact)",
  split: "the pooled dot product, split into its terms (exact)",
  integrated: "integrated Jacobians, from a text of empty tokens",
  deeplift: "DeepLIFT on the interaction matrix, from no similarity at all",
  deletion: "what the score loses only if both are there (deletion)",
};

/** The words of a document, and below them the pairs of tokens. */
export function pairsView(answer, context) {
  const parts = documentView({ ...answer, rest: answer.metrics?.rest }, context);
  const query = written(answer.query_tokens, answer.query ?? answer.ranking?.query ?? "");
  const own = { tokens: answer.document_tokens, matrix: answer.matrix, parts: answer.parts, id: answer.doc_id };
  const both = answer.other ? [own, { ...answer.other, id: answer.above }] : [own];
  const largest = Math.max(...both.map((one) => largestOf(one.matrix)));
  const found = both.map((one) => {
    const tokens = written(one.tokens, textOf(answer, one.id));
    const sum = one.matrix.flat().reduce((all, value) => all + value, 0);
    return [
      both.length > 1 ? make("h4", null, bdi(context.nameOf(one.id))) : null,
      links(one.matrix, query, tokens, largest),
      tokens.length && query.length ? matrix("Tokens of the query × tokens of the document", one.matrix, query, tokens, largest) : note("The ranker reads no token of it."),
      facts([["all pairs", real(sum)], ...Object.entries(one.parts || {}).map(([name, value]) => [name, real(value)])]),
    ];
  });
  const told = [make("h3", null, "Which tokens matched"), WAYS[answer.way] ? note(`A row is a token of the query, a column one of the document, a cell what the pair adds to the score. Made by: ${WAYS[answer.way]}.`) : null, found];
  parts.splice(-2, 0, told);
  return parts;
}

/** The words of a document by attention, and what each head attends to. */
export function attentionView(answer, context) {
  const parts = documentView(answer, context);
  const text = answer.document ?? textOf(answer, answer.doc_id);
  const head = (weights, number) => fold(`head ${number}, ${percent(weights.reduce((sum, one) => sum + one, 0))} on the document`,
    () => coloured(text, answer.words.map((word, i) => ({ ...word, weight: weights[i] }))), false, "heads");
  if (answer.grid) {
    parts.splice(-2, 0, make("h3", null, "Heads and layers"), note("What each head of each layer attends to; what the model does with it, attention does not say."),
      answer.grid.map((layer, number) => fold(`Layer ${number}: ${several(layer.length, "head")}`, () => layer.map(head))));
  }
  return parts;
}

/** Tokens as people read them: as they are written, and a mark for a term that the ranker adds. */
function written(tokens, text) {
  const unit = unitsOf(text);
  return tokens.map((one) => (one.start === null || one.end === null || one.start === undefined ? `${one.kind === "expansion" ? "+" : ""}${one.text}` : text.slice(unit(one.start), unit(one.end)) || one.text));
}

/** Links between the strongest pairs: the query's tokens on the left, the document's on the right. */
function links(values, query, tokens, largest) {
  const cells = values.flatMap((row, i) => row.map((value, j) => ({ i, j, value }))).filter((one) => one.value)
    .sort((one, other) => Math.abs(other.value) - Math.abs(one.value)).slice(0, LINKS);
  if (!cells.length) return null;
  const sides = ["i", "j"].map((side) => [...new Set(cells.map((cell) => cell[side]))].sort((one, other) => one - other));
  const height = STEP * Math.max(...sides.map((side) => side.length));
  const [own, its] = sides.map((side) => new Map(side.map((place, k) => [place, (height * (k + 0.5)) / side.length])));
  const label = (place, y, names, x, anchor) => draw("text", { x, y: y + 4, "text-anchor": anchor, direction: "ltr", "unicode-bidi": "isolate" }, names[place].slice(0, LETTERS));
  return draw("svg", { class: "token-links", viewBox: `0 0 600 ${height}`, role: "img", "aria-label": "links between the strongest pairs of tokens" },
    cells.map(({ i, j, value }) => draw("path", { class: value > 0 ? "more" : "less", d: `M210 ${own.get(i)} C270 ${own.get(i)} 330 ${its.get(j)} 390 ${its.get(j)}`, "stroke-width": (0.5 + (4 * Math.abs(value)) / largest).toFixed(1), "stroke-opacity": (0.25 + (0.65 * Math.abs(value)) / largest).toFixed(2) },
      draw("title", null, `${query[i]} × ${tokens[j]}: ${signed(value, largest)}`))),
    [...own].map(([place, y]) => label(place, y, query, 204, "end")), [...its].map(([place, y]) => label(place, y, tokens, 396, "start")));
}
