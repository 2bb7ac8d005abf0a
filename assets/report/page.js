"use strict";

const FEW_ROWS = 8; // tables up to here need no filter

function numberOf(text) {
  const found = text.match(/^[^\w+\-−]*([+\-−]?\d[\d,]*(\.\d+)?)/);
  return found ? Number(found[1].replace("−", "-").replaceAll(",", "")) : null;
}

function compare(a, b) {
  const [first, second] = [numberOf(a), numberOf(b)];
  if (first !== null && second !== null) return first - second;
  return a.localeCompare(b);
}

function isMissing(text) {
  return /^(|-|NA[*†]?( \/ NA[*†]?)*)$/.test(text);
}

function sortBy(table, column, descending) {
  const text = (row) => row.cells[column].textContent.trim();
  const rows = [...(table.tBodies[0]?.rows ?? [])];
  const [missing, known] = [rows.filter((row) => isMissing(text(row))), rows.filter((row) => !isMissing(text(row)))];
  known.sort((a, b) => compare(text(a), text(b)) * (descending ? -1 : 1));
  table.tBodies[0].append(...known, ...missing); // what is not known comes last
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    if (!button.textContent) button.setAttribute("aria-label", "name");
    head.append(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortBy(table, column, descending);
    });
  });
}

function choice(title, values) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  select.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
  label.append(`${title} `, select);
  return [label, select];
}

/* A search, and a choice for each column whose texts repeat. */
function makeFilters(table) {
  const rows = [...(table.tBodies[0]?.rows ?? [])];
  if (rows.length <= FEW_ROWS) return;
  const filters = document.createElement("p");
  const search = document.createElement("input");
  const count = document.createElement("output");
  const chosen = [];
  filters.className = "filters";
  Object.assign(search, { type: "search", placeholder: "filter rows", ariaLabel: "filter rows" });
  filters.append(search);
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const texts = rows.map((row) => row.cells[column].textContent.trim());
    const values = [...new Set(texts)].filter((text) => !isMissing(text) && numberOf(text) === null).sort();
    if (values.length < 2 || values.length > rows.length / 2) return;
    const [label, select] = choice(head.textContent, values);
    filters.append(label);
    chosen.push([column, select]);
  });
  filters.append(count);
  filters.addEventListener("input", () => {
    const text = search.value.toLowerCase();
    rows.forEach((row) => {
      const equal = ([column, select]) => !select.value || row.cells[column].textContent.trim() === select.value;
      row.hidden = !(row.textContent.toLowerCase().includes(text) && chosen.every(equal));
    });
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
  });
  table.parentElement.before(filters);
}

function makeGallery(gallery) {
  const selects = [...gallery.querySelectorAll("select[data-facet]")];
  const cards = [...gallery.querySelectorAll(".card")];
  const count = gallery.querySelector("output");
  gallery.addEventListener("input", () => {
    cards.forEach((card) => {
      const items = [...card.querySelectorAll("[data-facets]")];
      items.forEach((item) => {
        const facets = JSON.parse(item.dataset.facets);
        item.hidden = selects.some((select) => select.value && facets[select.dataset.facet] !== select.value);
      });
      card.hidden = items.length ? items.every((item) => item.hidden) : selects.some((select) => select.value);
    });
    count.textContent = `${cards.filter((card) => !card.hidden).length} of ${cards.length}`;
  });
}

document.querySelectorAll("main table").forEach((table) => {
  makeFilters(table);
  makeSortable(table);
});
document.querySelectorAll(".gallery").forEach(makeGallery);
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((part) => {
    part.open = true;
  });
});
