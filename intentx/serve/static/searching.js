// A search: each ranker is asked on its own, so that the results of a quick one need not wait for a slow one.
import { post } from "./api.js";

/** Ask the rankers of a search. `first` gets what is there as soon as one of them has answered, with rankings
 * that are `pending` in the place of the others; `more(ranking, i)` gets each of these. Ends with the first
 * one, and fails where all do. */
export function searchBy(wanted, signal, first, more) {
  const names = wanted.rankers.length ? wanted.rankers : [""];
  const rankings = names.map((ranker) => ({ ranker, results: [], pending: true }));
  const refused = [];
  let shown = false;
  return new Promise((resolve, reject) => {
    const ask = async (ranker, i) => {
      let found = null;
      try {
        found = await post("search", { ...wanted, rankers: ranker ? [ranker] : [] }, signal);
        rankings[i] = found.rankings[0];
      } catch (error) {
        if (signal.aborted) throw error;
        refused.push(error);
        rankings[i] = { ranker, results: [], error };
      }
      if (shown) more(rankings[i], i);
      else if (found) {
        shown = true;
        first({ ...found, rankings });
        resolve();
      } else if (refused.length === names.length) throw refused[0];
    };
    names.forEach((ranker, i) => ask(ranker, i).catch(reject));
  });
}
