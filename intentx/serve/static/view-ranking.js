// What a ranker reads a query as: terms with effects, the verdict, and how far they reproduce its order.
import { bdi, button, draw, known, make, note, percent, real, several, signed, whole, writtenAs } from "./dom.js";
import { bar, facts, fold, made, table, verdict } from "./parts.js";

const COLOURS = 12;
const KINDS = { wanted: "wanted", unwanted: "unwanted", "no effect": "no effect found", "not asked": "goes along" };

/** The explanation without some of its terms: fidelity, and documents in the order that the rest gives. */
export function judged(answer, without = new Set()) {
  const kept = answer.terms.map((term, i) => i).filter((i) => !without.has(answer.terms[i]));
  const scores = answer.ranking.scores;
  const n = scores.length;
  const sums = (answer.term_scores || []).map((ranker, r) => {
    const sum = new Float64Array(n);
    for (const i of kept) for (let d = 0; d < n; d += 1) sum[d] += ranker[i][d] / answer.scale[r];
    return sum;
  });
  const beats = new Float64Array(n);
  const lost = new Float64Array(n);
  const gap = answer.fidelity?.gap ?? 10;
  let [pairs, covered, far, farCovered] = [0, 0, 0, 0];
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1) {
      let vote = 0;
      for (const sum of sums) vote += Math.tanh(sum[i] - sum[j]);
      const won = vote > answer.margin ? 1 : vote < -answer.margin ? -1 : 0;
      beats[i] += won;
      beats[j] -= won;
      if (!(scores[i] > scores[j])) continue;
      pairs += 1;
      covered += won > 0;
      if (won <= 0) {
        lost[i] += 1;
        lost[j] += 1;
      }
      if (j - i >= gap) {
        far += 1;
        farCovered += won > 0;
      }
    }
  }
  const order = [...scores.keys()].sort((one, other) => beats[other] - beats[one] || one - other);
  return { all: pairs ? covered / pairs : null, far: far ? farCovered / far : null, pairs, gap, order, lost };
}

/** The view; `context` has what it does to the results, and how terms are taken out. */
export function rankingView(answer, context) {
  const out = context.without || new Set();
  const now = judged(answer, out);
  const ofAll = answer.with_all_terms ? answer.with_all_terms.all : answer.fidelity?.all;
  const effects = new Map((answer.effects || []).map((one) => [one.term, one]));
  const measured = answer.terms.map((term) => effects.get(term)?.effect).filter(known);
  const limits = [Math.min(0, ...measured), Math.max(0, ...measured)];
  const largest = Math.max(limits[1], -limits[0]);
  const rows = answer.terms.map((term, i) => (out.has(term) ? null : termRow(term, i, effects.get(term), { answer, context, limits, largest }))).filter((row) => row);
  const avoided = (answer.avoids || []).slice(0, 5);
  return [
    ...verdict(answer),
    answer.terms.length ? table(["term", "effect on the score", "", "", ""], rows, { class: "terms", label: "Intent terms" })
      : make("p", { class: "empty" }, "No word expresses its order."),
    out.size ? make("p", { class: "taken" }, "Taken out: ", [...out].map((term) => [button(`${writtenAs(term, answer.forms)} ↩`, () => context.put(term), { class: "chip", "aria-label": `Put ${writtenAs(term, answer.forms)} back` }), " "])) : null,
    make("p", { class: "fidelity", role: "status" }, known(now.all)
      ? ["Together ", out.size ? "the other terms reproduce " : "they reproduce ", make("b", null, percent(now.all)), ` of its ${several(now.pairs, "preference")}`,
        known(now.far) ? [", ", make("b", null, percent(now.far)), ` of those at least ${several(now.gap, "rank")} apart`] : "",
        out.size && known(ofAll) ? ` (with all terms ${percent(ofAll)})` : "", "."]
      : "How far they reproduce its order is not known: it has no preferences."),
    avoided.length ? note("It avoids: ", avoided.map((one, i) => [i ? ", " : "", bdi(writtenAs(one.term, answer.forms)), ` (${signed(one.effect)})`]), ".") : null,
    answer.agreement ? facts(Object.entries(answer.agreement).filter(([, one]) => known(one)).map(([name, one]) => [name, real(one)])) : null,
    answer.lucene ? facts([["Lucene", make("code", null, answer.lucene)]]) : null,
    fold("The ranking beside it", () => slope(answer, now, context), true),
    fold("Documents it gets most wrong", () => mostWrong(answer, now)),
    fold("Fidelity in all numbers", () => fidelityTable(answer)),
    made(answer),
  ];
}

function termRow(term, i, effect, { answer, context, limits, largest }) {
  const asked = effect && known(effect.effect);
  const name = button(null, () => context.keep(i), { class: `term t${i % COLOURS}`, "aria-pressed": "false", title: "Highlight it in the results", "data-term": i });
  const written = writtenAs(term, answer.forms);
  name.append(make("bdi", null, written));
  const places = asked && known(effect.places) && Math.abs(effect.places) >= 0.05 ? `${effect.places > 0 ? "▲" : "▼"} ${real(Math.abs(effect.places), 10)} places` : "";
  const kind = effect?.beside ? `${KINDS[effect.kind]} beside “${writtenAs(effect.beside, answer.forms)}”` : KINDS[effect?.kind] || "";
  const title = asked ? `95 % interval ${real(effect.low, largest)} to ${real(effect.high, largest)}, ${several(effect.tested, "edited document")}` : null;
  const row = [name, make("td", { class: "bar", title }, asked ? bar(effect.effect, ...limits) : null, " ", make("span", { class: "n" }, asked ? signed(effect.effect, largest) : "")),
    make("td", { class: "soft" }, places), make("td", { class: "soft" }, kind),
    make("td", null, button("×", () => context.takeOut(term), { class: "cross", "aria-label": `Take ${written} out of the explanation`, title: "Take it out" }))];
  return Object.assign(row, { row: {
    pointerenter: () => context.point(i), pointerleave: () => context.point(null),
    focusin: () => context.point(i), focusout: () => context.point(null),
    "data-key": term, title: known(answer.weights?.[i]) ? `Share of the coverage: ${real(answer.weights[i], 0.1)}` : null,
  } });
}

/** Both orders with lines between them. */
function slope(answer, now, context) {
  const shown = Math.min(now.order.length, 30);
  const place = new Map(now.order.map((document, i) => [document, i]));
  const row = 22;
  const name = (at) => context.nameOf(answer.ranking.doc_ids[at]);
  const lines = [];
  for (let at = 0; at < now.order.length; at += 1) {
    const to = place.get(at);
    if (at >= shown && to >= shown) continue;
    const moved = Math.abs(to - at);
    const colour = moved <= Math.max(1, 0.05 * now.order.length) ? "m0" : moved <= 0.15 * now.order.length ? "m1" : moved <= 0.3 * now.order.length ? "m2" : "m3";
    lines.push(draw("path", { class: colour, d: `M0 ${row * (at + 0.5)}C40 ${row * (at + 0.5)} 60 ${row * (to + 0.5)} 100 ${row * (to + 0.5)}` }, draw("title", null, `${name(at)}: rank ${at + 1} → ${to + 1}`)));
  }
  const list = (label, order) => make("ol", { "aria-label": label }, order.slice(0, shown).map((at, i) => make("li", { title: name(at) }, make("b", null, i + 1), bdi(name(at)))));
  return [make("div", { class: "slope" }, make("div", { class: "head" }, "ranker"), make("div", null), make("div", { class: "head" }, "explanation"),
    list("Order of the ranker", now.order.map((_, i) => i)),
    draw("svg", { viewBox: `0 0 100 ${row * shown}`, preserveAspectRatio: "none", "aria-hidden": "true", "--height": `${row * shown}px` }, lines),
    list("Order of the explanation", now.order)),
  now.order.length > shown ? note(`The first ${shown} of ${whole(now.order.length)}.`) : null];
}

function mostWrong(answer, now) {
  const worst = [...now.lost.keys()].filter((at) => now.lost[at] > 0).sort((one, other) => now.lost[other] - now.lost[one] || one - other).slice(0, 10);
  if (!worst.length) return note("None: every preference is reproduced.");
  const place = new Map(now.order.map((document, i) => [document, i]));
  return table(["document", "lost pairs", "rank", "explained"], worst.map((at) => [bdi(answer.ranking.doc_ids[at]), whole(now.lost[at]), whole(at + 1), whole(place.get(at) + 1)]), { label: "Documents it gets most wrong" });
}

function fidelityTable(answer) {
  const rows = (answer.fidelity?.rows || []).map((row) => [row.name, whole(row.pairs), percent(row.vote), percent(row.majority), whole(row.ties)]);
  const { tau, rbo } = answer.fidelity || {};
  return [table(["pairs", "number", "soft vote", "majority", "ties"], rows, { label: "Fidelity", wide: true }),
    facts([["Kendall’s τ-b", known(tau) ? real(tau, 0.1) : undefined], ["RBO", known(rbo) ? real(rbo, 0.1) : undefined]])];
}
