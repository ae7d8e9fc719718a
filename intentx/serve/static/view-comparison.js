// Two rankers on the same query: the intent terms of each, and the words that speak for either order.
import { bdi, known, make, note, percent, real, several, writtenAs } from "./dom.js";
import { bars, facts, fold, table } from "./parts.js";

const COLOURS = 12;

export function comparisonView(answer, context) {
  const query = answer.queries?.[0];
  if (!query) return [note("Nothing was compared.")];
  const failed = Object.entries(query.failed || {}).map(([ranker, reason]) => make("p", { class: "caution", dir: "auto" }, ranker ? [bdi(ranker), ": "] : null, reason));
  const agreement = query.agreements?.[0];
  const apart = (query.disagreements || []).flatMap((one) => [...(one.for_first?.terms || []), ...(one.for_second?.terms || [])]);
  const terms = [...new Set([...Object.values(query.intents || {}).flatMap((one) => one.terms), ...apart])];
  const number = (term) => terms.indexOf(term);
  context.terms(terms);
  const chip = (term) => make("button", { type: "button", class: `term t${number(term) % COLOURS}`, title: "Highlight it in the results", click: () => context.keep(number(term)),
    pointerenter: () => context.point(number(term)), pointerleave: () => context.point(null), focusin: () => context.point(number(term)), focusout: () => context.point(null) }, bdi(writtenAs(term, answer.forms)));
  return [
    ...failed,
    agreement ? make("p", { class: "verdict" }, make("b", { class: "badge" }, `τ ${real(agreement.tau, 0.1)}`),
      make("span", null, `The two orders agree with Kendall’s τ ${real(agreement.tau, 0.1)} and RBO ${real(agreement.rbo, 0.1)}; ${percent(agreement.first_ten)} of the first ten are the same.`)) : null,
    (query.disagreements || []).filter((one) => one.second).map((one) => [
      make("h3", null, `Where they disagree: ${several(one.pairs, "pair")} of ${one.of}`),
      one.reason ? note(one.reason) : note("Terms that go along with either order; neither ranker was asked about them."),
      one.reason || believable(one) ? null : make("p", { class: "caution" }, doubt(one)),
      make("div", { class: "halves" }, [[one.first, one.for_first], [one.second, one.for_second]].map(([name, side]) => make("div", null, make("h4", null, "For the order of ", bdi(name)),
        side?.terms?.length ? table(null, side.terms.map((term, i) => [chipOf(chip, terms, term), make("td", { class: "n" }, real(side.shares?.[i], 0.1))]), { label: `Terms for ${name}` }) : note("No term."),
        known(side?.covered) ? note(`They reproduce ${percent(side.covered)} of these pairs${known(side.heldout) ? `, ${percent(side.heldout)} of held-out ones` : ""}.`) : null))),
    ]),
    make("h3", null, "Intent terms of each ranker"),
    make("div", { class: "halves" }, Object.entries(query.intents || {}).map(([name, one]) => make("div", null, make("h4", null, bdi(name)),
      bars(one.terms.map((term, i) => ({ head: chip(term), weight: one.weights[i], cells: [make("td", { class: "soft" }, one.kinds?.[i] || "")] })), { label: `Intent of ${name}`, most: 12 }),
      note(`Together ${percent(one.all)} of its preferences.`)))),
    query.cross ? fold("How far the terms of one reproduce the order of the other", () => table(["terms of", ...Object.keys(query.cross).map((name) => `order of ${name}`)], Object.entries(query.cross).map(([name, row]) => [bdi(name), ...Object.keys(query.cross).map((other) => make("td", { class: "n" }, percent(row[other])))]), { label: "Cross", wide: true })) : null,
    facts([["method", answer.method]]),
  ];
}

// As intentx.comparison.preferred.Disagreement.believable.
const believable = (one) => known(one.heldout) && one.heldout > 0.5 + 1 / Math.sqrt(one.documents);
const doubt = (one) => (known(one.heldout)
  ? `Of held-out pairs they tell ${percent(one.heldout)} apart, not clearly above chance: do not rely on them.`
  : `On ${one.documents} documents they cannot be told from chance: do not rely on them.`);

const chipOf = (chip, terms, term) => (terms.includes(term) ? chip(term) : bdi(term));
