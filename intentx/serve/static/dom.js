// Elements, numbers and marks in texts. Texts of users become text nodes only: nothing here reads HTML.

/** An element; attributes whose value is null or false are left out, functions become listeners. */
export function make(name, attributes, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same in a drawing. */
export function draw(name, attributes, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (key.startsWith("--")) element.style.setProperty(key, value); // no style attribute: the policy refuses it
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

export const byId = (id) => document.getElementById(id);
export const button = (text, click, more) => make("button", { type: "button", click, ...more }, text);
export const bdi = (text, more) => make("bdi", more, String(text ?? ""));
export const note = (...children) => make("p", { class: "note" }, children);

/** What went wrong, and what to do; `more` follows. */
export function failure({ message, todo }, head, ...more) {
  return make("div", { class: "job failed", role: "alert" }, make("p", { dir: "auto" }, make("b", null, head), sentence(message)), todo ? make("p", { dir: "auto" }, sentence(todo)) : null, more);
}

/** Tell people who listen; `seen` by all others, too, for a moment. */
export function tell(text, seen = true) {
  const told = byId("told");
  told.textContent = text;
  told.classList.toggle("shown", seen);
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => told.classList.remove("shown"), 4000);
}

/** A message as a sentence. */
export const sentence = (text) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.?!…]$/.test(text) ? "" : "."}`;

// ---- numbers
export const several = (number, one, many = `${one}s`) => `${whole(number)} ${number === 1 ? one : many}`;
export const whole = (number) => (typeof number === "number" ? number.toLocaleString("en") : "–");
export const known = (value) => typeof value === "number" && Number.isFinite(value);

/** A number with as many digits as the largest of its kind needs, and a true minus sign. */
export function real(value, largest = Math.abs(value)) {
  if (!known(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(largest) || 1;
  const digits = Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(size))));
  const text = size >= 1e6 || size < 1e-6 ? value.toExponential(2) : value.toFixed(Math.min(digits, size >= 100 ? 1 : digits));
  return text.replace("-", "−");
}

export const signed = (value, largest) => (value > 0 ? "+" : "") + real(value, largest);
export const percent = (share) => (known(share) ? `${Math.round(100 * share)} %` : "–");

export function seconds(value) {
  if (!known(value)) return "";
  return value < 1 ? `${Math.max(1, Math.round(1000 * value))} ms` : value < 60 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

// ---- places in a text
/** Places of the server count code points; those of a browser count UTF-16 units. */
export function unitsOf(text) {
  if (!/[\ud800-\udfff]/.test(text)) return (place) => place;
  const units = [];
  let at = 0;
  for (const letter of text) {
    units.push(at);
    at += letter.length;
  }
  units.push(at);
  return (place) => units[Math.max(0, Math.min(place, units.length - 1))];
}

/** A text in which marks of `{start, end, make}` stand, in UTF-16 units, in order, without overlaps. */
export function marked(text, marks, start = 0, end = text.length) {
  const parts = [];
  let done = start;
  for (const one of marks) {
    if (one.start < done || one.end > end || one.end <= one.start) continue;
    parts.push(text.slice(done, one.start), one.make(text.slice(one.start, one.end)));
    done = one.end;
  }
  parts.push(text.slice(done, end));
  return parts;
}

const segmenter = typeof Intl.Segmenter === "function" ? new Intl.Segmenter(undefined, { granularity: "word" }) : null;
const fold = (word) => word.normalize("NFKC").toLowerCase().replace(/[’ʼ]/g, "'");

function* wordsOf(text) {
  if (segmenter) {
    for (const one of segmenter.segment(text)) if (one.isWordLike) yield [one.segment, one.index];
  } else for (const one of text.matchAll(/[\p{L}\p{N}][\p{L}\p{N}\p{M}'’]*/gu)) yield [one[0], one.index];
}

/** Where terms stand in a text: `{start, end, term}` with the number of the term. Terms of several words, too.
 * `forms`: how texts write a term that is a stem. */
export function termPlaces(text, terms, forms = {}) {
  const wanted = new Map();
  const want = (written, i) => {
    const words = [...wordsOf(written)].map(([word]) => fold(word));
    if (!words.length) words.push(fold(written));
    const key = words.join(" ");
    if (!wanted.has(key)) wanted.set(key, [i, words.length]);
  };
  terms.forEach((term, i) => (formsOf(forms, term) || [term]).forEach((form) => want(form, i)));
  const longest = Math.max(1, ...[...wanted.values()].map(([, length]) => length));
  const words = [...wordsOf(text.slice(0, 200000))];
  const folded = words.map(([word]) => fold(word));
  const found = [];
  for (let i = 0; i < words.length; i += 1) {
    for (let n = Math.min(longest, words.length - i); n >= 1; n -= 1) {
      const key = folded.slice(i, i + n).join(" ");
      const hit = wanted.get(key);
      if (!hit) continue;
      found.push({ start: words[i][1], end: words[i + n - 1][1] + words[i + n - 1][0].length, term: hit[0] });
      i += n - 1;
      break;
    }
  }
  return found;
}

const formsOf = (forms, term) => (forms && Object.hasOwn(forms, term) ? forms[term] : null);

/** A term as people write it: a stem by the form that the query or most texts have. */
export const writtenAs = (term, forms) => formsOf(forms, term)?.[0] ?? term;

/** The part of a text, of some letters, in which most of the marks' different terms stand. */
export function bestPart(text, places, length = 260) {
  if (text.length <= length * 1.25) return [0, text.length];
  let best = [-1, 0];
  places.forEach((first, i) => {
    const inside = new Map();
    for (let j = i; j < places.length && places[j].end - first.start < length - 40; j += 1) inside.set(places[j].term, true);
    if (inside.size > best[0]) best = [inside.size, first.start];
  });
  let start = best[0] > 0 ? Math.max(0, best[1] - 40) : 0;
  if (start > 0) start = Math.max(0, text.indexOf(" ", start - 1) + 1) || start;
  let end = Math.min(text.length, start + length);
  if (end < text.length) end = Math.max(start + 1, text.lastIndexOf(" ", end)) || end;
  return [start, end];
}
