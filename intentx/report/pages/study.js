"use strict";

// Makes the table of metrics sortable, and shows the queries. Texts of users become text nodes only.
const study = JSON.parse(document.getElementById("data").textContent);
const PAGE = 50; // queries at a time

/** An element; attributes whose value is null are left out, functions become listeners. */
function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A metric as people read it: a share without its leading zero. */
function short(value, digits) {
  if (value === null || value === undefined) return "–";
  const text = value.toFixed(digits).replace("-", "−");
  return digits === 3 && /^−?0\./.test(text) ? text.replace("0.", ".") : text;
}

const several = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
const contains = (text, wanted) => text.toLowerCase().includes(wanted.trim().toLowerCase());

/** Order of two values: numbers by size, texts by language, and what is missing last either way. */
function compare(one, other, direction) {
  const gone = (value) => value === null || value === undefined;
  if (gone(one) || gone(other)) return gone(one) - gone(other);
  return direction * (typeof one === "number" ? one - other : one.localeCompare(other, "en", { numeric: true }));
}

/** What a table is sorted by: metrics from the top first, texts from A; a third click ends it. */
class Sorting {
  constructor() {
    this.key = null;
    this.direction = 0;
  }

  turn(key, text) {
    const first = text ? 1 : -1;
    if (this.key !== key) [this.key, this.direction] = [key, first];
    else if (this.direction === first) this.direction = -first;
    else this.key = null;
  }

  of(key) {
    return this.key !== key ? "none" : this.direction > 0 ? "ascending" : "descending";
  }

  sorted(items, value) {
    if (this.key === null) return items;
    return [...items].sort((one, other) => compare(value(one), value(other), this.direction));
  }
}

/** A button in place of a head's content, that sorts by its column. */
function sortButton(head, sorting, key, text, update) {
  const button = make("button", { type: "button", class: "sort", click: () => {
    sorting.turn(key, text);
    update();
  } });
  button.append(...head.childNodes);
  head.append(button);
  head.setAttribute("aria-sort", sorting.of(key));
}

function chips(legend, names, update) {
  const boxes = names.map((name) => make("input", { type: "checkbox", checked: true, change: update }));
  const labels = names.map((name, i) => make("label", { class: "choice" }, boxes[i], make("bdi", null, name)));
  const group = make("fieldset", null, make("legend", null, legend), ...labels);
  return { group, chosen: () => boxes.map((box) => box.checked) };
}

function select(label, options, update) {
  const items = options.map((text, i) => make("option", { value: i }, text));
  const box = make("select", { change: update }, ...items);
  return { box, group: make("label", { class: "field" }, make("span", null, label), box) };
}

function search(label, update) {
  const box = make("input", { type: "search", input: update, autocomplete: "off", spellcheck: "false" });
  return { box, group: make("label", { class: "field" }, make("span", null, label), box) };
}

// ---- the table of metrics
const unique = (list) => [...new Set(list)];
const rankers = unique(study.pairs.map((pair) => pair[0]));
const methods = unique(study.pairs.map((pair) => pair[1]));

function metricsTable() {
  const table = document.getElementById("metrics");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row, i) => {
    const values = [...study.pairs[i]];
    for (const cell of [...row.cells].slice(2)) values.push(cell.dataset.v === undefined ? null : Number(cell.dataset.v));
    return { row, values };
  });
  // Heads of columns, in the order of the cells below them: the first line holds groups, too.
  const heads = [...table.tHead.querySelectorAll("th[data-key]")];
  const sorting = new Sorting();
  const groups = [...table.tHead.rows[0].cells].filter((head) => head.scope === "colgroup");
  const classes = groups.map((head) => [...head.classList].find((name) => /^g\d+$/.test(name)));
  const byRanker = rankers.length > 1 ? chips("Rankers", rankers, update) : null;
  const byMethod = methods.length > 1 ? chips("Methods", methods, update) : null;
  const byGroup = groups.length > 1 ? chips("Columns", groups.map((head) => head.textContent), update) : null;
  const words = search("Find", update);
  const told = make("output", { "aria-live": "polite" });
  const kinds = [byRanker, byMethod, byGroup].filter((kind) => kind).map((kind) => kind.group);
  document.getElementById("table-controls").append(...kinds, words.group, told);
  heads.forEach((head, i) => sortButton(head, sorting, i, i < 2, update));

  function update() {
    const chosen = byRanker ? byRanker.chosen() : [true];
    const wanted = byMethod ? byMethod.chosen() : [true];
    const shown = byGroup ? byGroup.chosen() : [true];
    let number = 0;
    for (const { row, values } of rows) {
      const [ranker, method] = values;
      row.hidden = !(chosen[rankers.indexOf(ranker)] && wanted[methods.indexOf(method)]
        && contains(`${ranker} ${method}`, words.box.value));
      number += !row.hidden;
    }
    classes.forEach((name, i) => {
      for (const cell of table.getElementsByClassName(name)) cell.hidden = !shown[i];
    });
    body.append(...sorting.sorted(rows, (one) => one.values[sorting.key]).map((one) => one.row));
    table.classList.toggle("sorted", sorting.key !== null);
    heads.forEach((head, i) => head.setAttribute("aria-sort", sorting.of(i)));
    told.textContent = number === rows.length ? several(number, "row", "rows") : `${number} of ${several(rows.length, "row", "rows")}`;
  }
  update();
}

// ---- the queries
const place = new Map(study.queries.map(([qid], i) => [qid, i]));
const link = (i) => `#query=${encodeURIComponent(study.queries[i][0])}`;

function queriesTable() {
  if (!study.metrics.length || !study.queries.length) return;
  const table = document.getElementById("query-table");
  const sorting = new Sorting();
  let start = 0;
  const metrics = study.metrics.map(([, , title]) => title);
  const metric = select("Metric", [...metrics, "Terms, with fidelity"], () => again());
  const main = study.metrics.findIndex(([name]) => name === "heldout_documents");
  metric.box.value = study.by_query ? metrics.length : Math.max(0, main);
  const beside = study.beside.map(([name, head]) => [study.metrics.findIndex(([own]) => own === name), head]);
  const ranker = select("Ranker", rankers, () => {
    sorting.key = sorting.key === "query" ? "query" : null;
    again();
  });
  const words = search("Find", () => again());
  const told = make("output", { "aria-live": "polite" });
  if (rankers.length < 2) ranker.group.hidden = true;
  document.getElementById("query-controls").append(metric.group, ranker.group, words.group, told);

  const steps = [["First", () => 0], ["Previous", () => start - PAGE], ["Next", () => start + PAGE], ["Last", () => Infinity]];
  const buttons = steps.map(([name, to]) => make("button", { type: "button", click: () => {
    start = to();
    update();
  } }, name));
  const where = make("span", null);
  document.getElementById("query-pages").append(...buttons.slice(0, 2), where, ...buttons.slice(2));

  function again() {
    start = 0;
    update();
  }

  function update() {
    const withTerms = Number(metric.box.value) === metrics.length;
    const chosen = withTerms ? (beside.length ? beside[0][0] : 0) : Number(metric.box.value);
    const [, , , meaning, digits] = study.metrics[chosen];
    const pairs = study.pairs.map((pair, i) => i).filter((i) => study.pairs[i][0] === rankers[ranker.box.value]);
    const value = (query, pair) => {
      const cell = study.cells[query][pair];
      return Array.isArray(cell) ? cell[1][chosen] : null;
    };
    let found = study.queries.map((query, i) => i);
    if (words.box.value.trim()) found = found.filter((i) => contains(study.queries[i].join(" "), words.box.value));
    found = sorting.sorted(found, (i) => (sorting.key === "query" ? study.queries[i][1] : value(i, sorting.key)));
    const last = Math.max(0, PAGE * Math.floor((found.length - 1) / PAGE));
    start = Math.min(Math.max(0, start), last);
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.closest("th[data-key]") : null;
    const key = focused && table.contains(focused) ? focused.dataset.key : null;

    const heads = ["query", ...pairs].map((one) => {
      const head = make("th", { scope: "col", "data-key": one, class: one === "query" || withTerms ? null : "n" },
        one === "query" ? "query" : make("bdi", null, study.pairs[one][1]));
      sortButton(head, sorting, one, one === "query", again);
      return head;
    });
    const rows = found.slice(start, start + PAGE).map((i) => make("tr", null,
      make("th", { scope: "row" }, make("a", { href: link(i) }, make("bdi", null, study.queries[i][1])),
        " ", make("small", null, make("bdi", null, study.queries[i][0]))),
      ...pairs.map((pair) => (withTerms && Array.isArray(study.cells[i][pair])
        ? termsCell(study.cells[i][pair], beside)
        : valueCell(study.cells[i][pair], value(i, pair), digits)))));
    table.replaceChildren(
      make("caption", null, withTerms ? "terms, the most useful first, and their fidelity" : meaning),
      make("thead", null, make("tr", null, ...heads)),
      make("tbody", null, ...rows),
    );
    if (key !== null) table.querySelector(`th[data-key="${key}"] button`)?.focus();
    told.textContent = found.length === study.queries.length
      ? several(found.length, "query", "queries")
      : `${found.length.toLocaleString("en")} of ${several(study.queries.length, "query", "queries")}`;
    where.textContent = found.length ? `${(start + 1).toLocaleString("en")}–${Math.min(start + PAGE, found.length).toLocaleString("en")}` : "none";
    buttons.forEach((button, i) => { button.disabled = i < 2 ? start === 0 : start === last; });
    document.getElementById("query-pages").hidden = found.length <= PAGE;
  }
  update();
}

/** The terms of a query with their fidelity. */
function termsCell([words, metrics], beside) {
  const terms = make("p", { class: "terms" });
  for (const word of words) terms.append(make("bdi", { class: "chip" }, study.words[word]), " ");
  if (!words.length) terms.append(make("small", null, "no term"));
  const told = beside.map(([metric, head]) => make("span", null, make("b", null, short(metrics[metric], 3)), ` ${head}`));
  return make("td", { class: "said" }, terms, make("small", { class: "beside" }, ...told));
}

/** A metric of a query with a bar of its size, where it is a share; or why there is none. */
function valueCell(cell, value, digits) {
  if (cell === 0) return make("td", { class: "n" }, make("small", null, "not yet"));
  if (!Array.isArray(cell)) return make("td", { class: "n", title: study.reasons[cell - 1] }, make("small", { class: "reason" }, "failed"));
  const found = make("td", { class: "n" }, short(value, digits));
  if (digits === 3 && value > 0) {
    found.classList.add("share");
    found.style.setProperty("--p", `${100 * Math.min(1, value)}%`);
  }
  return found;
}

// ---- one query
const sheet = document.getElementById("query");
let cameByLink = false; // then closing goes back, as the browser's button does

function ofRanker(ranker, cells) {
  const own = study.pairs.map((pair, i) => i).filter((i) => study.pairs[i][0] === ranker);
  const groups = [];
  for (const [, group] of study.metrics) {
    if (groups.length && groups[groups.length - 1][0] === group) groups[groups.length - 1][1] += 1;
    else groups.push([group, 1]);
  }
  const heads = make("thead", null,
    make("tr", null, make("th", { scope: "col", rowspan: 2 }, "method and its terms"),
      ...groups.map(([group, number]) => make("th", { scope: "colgroup", colspan: number, class: "start" }, group))),
    make("tr", null, ...study.metrics.map(([, , head, meaning], i) => make("th", { scope: "col", class: starts(i), title: meaning }, head))));
  const rows = own.map((pair) => {
    const cell = cells[pair];
    const terms = make("p", { class: "terms" });
    if (Array.isArray(cell)) {
      for (const word of cell[0]) terms.append(make("bdi", { class: "chip" }, study.words[word]), " ");
      if (!cell[0].length) terms.append(make("small", null, "no term"));
    } else terms.append(make("small", { class: "reason" }, cell === 0 ? "not measured yet" : study.reasons[cell - 1]));
    const metrics = Array.isArray(cell)
      ? cell[1].map((value, i) => make("td", { class: starts(i) }, short(value, study.metrics[i][4])))
      : [make("td", { colspan: study.metrics.length, class: "start" })];
    return make("tr", null, make("th", { scope: "row" }, make("bdi", null, study.pairs[pair][1]), terms), ...metrics);
  });
  return make("section", null, make("h3", null, make("bdi", null, ranker)),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Metrics of the query" },
      make("table", { class: "one" }, heads, make("tbody", null, ...rows))));
}

function starts(i) {
  return i === 0 || study.metrics[i][1] !== study.metrics[i - 1][1] ? "n start" : "n";
}

function showQuery(i) {
  const [qid, text] = study.queries[i];
  const step = (to, name) => make("button", { type: "button", disabled: to < 0 || to >= study.queries.length, click: () => {
    history.replaceState(null, "", link(to));
    showQuery(to);
    sheet.querySelector(`button[data-step="${name}"]:enabled`)?.focus();
  }, "data-step": name }, name);
  sheet.replaceChildren(
    make("header", null,
      make("div", null, make("h2", { id: "query-title" }, "“", make("bdi", null, text), "”"),
        make("p", { class: "note" }, "query ", make("bdi", null, qid))),
      make("p", { class: "controls" }, step(i - 1, "Previous"), step(i + 1, "Next"),
        make("button", { type: "button", click: () => sheet.close() }, "Close"))),
    ...rankers.map((ranker) => ofRanker(ranker, study.cells[i])),
  );
  if (!sheet.open) sheet.showModal();
  sheet.scrollTop = 0;
}

function wantedQuery() {
  if (!location.hash.startsWith("#query=")) return undefined;
  try {
    return place.get(decodeURIComponent(location.hash.slice("#query=".length)));
  } catch {
    return undefined; // no text at all
  }
}

function follow() {
  const wanted = wantedQuery();
  if (wanted !== undefined) showQuery(wanted);
  else if (sheet.open) sheet.close();
}

sheet.addEventListener("close", () => {
  if (wantedQuery() === undefined) return;
  if (cameByLink) history.back();
  else history.replaceState(null, "", "#queries");
});
sheet.addEventListener("click", (event) => {
  if (event.target === sheet) sheet.close(); // outside of what it holds
});
addEventListener("hashchange", () => {
  cameByLink = wantedQuery() !== undefined;
  follow();
});

metricsTable();
queriesTable();
follow();
