"use strict";
// Everything here adds to a page that is complete without it: sorting, opening many parts at once,
// finding, and the figures of a point.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  for (const element of all(".controls")) element.hidden = false;

  // --- tables: a button in each heading sorts by its column, what is empty stays last
  const shownText = (cell) => cell.dataset.value ?? cell.textContent.trim();
  const compare = (a, b) => {
    if (a === "" || b === "") return 0;
    const difference = Number(a) - Number(b);
    return Number.isNaN(difference) ? a.localeCompare(b, "en", { numeric: true }) : difference;
  };
  const sort = (table, heading) => {
    const body = table.tBodies[0];
    const downwards = heading.getAttribute("aria-sort") === "ascending";
    for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", downwards ? "descending" : "ascending");
    const rows = [...body.rows].map((row) => [shownText(row.cells[heading.cellIndex]), row]);
    rows.sort(([a], [b]) => (a === "") - (b === "") || (downwards ? compare(b, a) : compare(a, b)));
    body.append(...rows.map(([, row]) => row));
  };
  for (const table of all("table.sortable")) {
    for (const heading of all("thead th", table)) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sort(table, heading));
      heading.append(button);
    }
  }

  // --- trees
  const openAll = (root, open) => {
    for (const part of all("details", root)) part.open = open;
  };
  const find = (tree, wanted, status) => {
    const text = wanted.toLowerCase();
    let found = 0;
    // from the end: what is inside a container comes before it
    for (const entry of all("li", tree).reverse()) {
      const within = entry.querySelector(":scope > details");
      const label = within ? within.firstElementChild : entry;
      const itself = label.textContent.toLowerCase().includes(text);
      const inside = within !== null && within.querySelector("li:not([hidden])") !== null;
      entry.hidden = text !== "" && !itself && !inside;
      if (text !== "" && itself) found += 1;
      if (text !== "" && within) within.open = inside;
    }
    status.textContent = text === "" ? "" : `${found} found`;
  };
  for (const block of all(".treeblock")) {
    const tree = block.querySelector(".tree");
    for (const control of all("[data-tree]", block)) {
      const task = control.dataset.tree;
      if (task === "find") {
        const status = block.querySelector("[role=status]");
        control.addEventListener("input", () => find(tree, control.value.trim(), status));
      } else {
        control.addEventListener("click", () => openAll(tree, task === "expand"));
      }
    }
  }

  // --- a link into a closed part opens it
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target === null) return;
    for (let part = target; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    const own = target.querySelector(":scope > details");
    if (own) own.open = true;
    target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  // --- paper has no controls: print everything open
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const part of closed) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of closed) part.open = false;
  });

  // --- charts: pointing at a mark shows its figures; Tab reaches a chart, arrows its marks
  for (const chart of all("[data-chart]")) {
    const marks = all("[role=graphics-symbol][aria-roledescription=point]", chart);
    const box = (mark) => mark.getBoundingClientRect();
    marks.sort((a, b) => box(a).x - box(b).x);
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.hidden = true;
    tip.setAttribute("aria-hidden", "true");
    chart.append(tip);
    const show = (mark) => {
      tip.textContent = mark.getAttribute("aria-label");
      tip.hidden = false;
      const [inner, outer] = [mark.getBoundingClientRect(), chart.getBoundingClientRect()];
      const room = outer.width - tip.offsetWidth;
      const left = inner.x + inner.width / 2 - outer.x - tip.offsetWidth / 2;
      const above = inner.y - outer.y - tip.offsetHeight - 8;
      tip.style.left = `${Math.max(0, Math.min(left, room))}px`;
      tip.style.top = `${above < 0 ? inner.bottom - outer.y + 8 : above}px`;
    };
    const hide = () => { tip.hidden = true; };
    marks.forEach((mark, index) => {
      mark.setAttribute("tabindex", index ? "-1" : "0");
      mark.addEventListener("pointerenter", () => show(mark));
      mark.addEventListener("click", () => mark.focus());
      mark.addEventListener("pointerleave", () => { if (document.activeElement !== mark) hide(); });
      mark.addEventListener("focus", () => show(mark));
      mark.addEventListener("blur", hide);
      mark.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
        if (event.key === "Escape") hide();
        if (step === undefined) return;
        event.preventDefault();
        const next = marks[(index + step + marks.length) % marks.length];
        for (const other of marks) other.setAttribute("tabindex", other === next ? "0" : "-1");
        next.focus();
      });
    });
  }
})();
