"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);

  // All text goes through here as text: names of crates and files may be anything.
  const SVG = new Set(["svg", "rect", "text", "line", "title", "g"]);
  function el(tag, attributes = {}, ...children) {
    const node = SVG.has(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  function ms(n) {
    if (n < 1000) return `${Math.round(n)} ms`;
    if (n < 60000) return `${(n / 1000).toFixed(1)} s`;
    const minutes = Math.floor(n / 60000);
    if (minutes < 60) return `${minutes} min ${Math.floor(n / 1000) % 60} s`;
    return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }
  function size(n) {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    while (n >= 1024 && unit + 1 < units.length) n /= 1024, ++unit;
    return `${unit ? n.toFixed(1) : n} ${units[unit]}`;
  }
  const percent = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(1)} %` : "–");
  const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  const day = (unix) => new Date(unix).toISOString().slice(0, 19).replace("T", " ");

  // Result → what it is called and the colour (a variable of the style sheet).
  const KINDS = {
    local_hit: ["hit", "hit"], prefetch_hit: ["hit (prefetched)", "hit"], remote_hit: ["hit (remote)", "hit"], miss: ["miss", "miss"],
    dup: ["dup", "dup"], error: ["failed", "error"], passthrough: ["passthrough", "passthrough"], skipped: ["skipped", "skipped"],
  };
  const kind = (result) => KINDS[result] || [result, "passthrough"];
  const colour = (result) => `var(--${kind(result)[1]})`;

  const events = data.events.map((row) => Object.fromEntries(data.columns.map((name, i) => [name, row[i]])));
  for (const event of events) {
    event.root = data.roots[event.root];
    event.search = [event.name, event.type, event.why, event.key, event.root].join("\n").toLowerCase();
  }

  // ---- tables -------------------------------------------------------------------------------------------------------------

  // Columns: {title, value, show?, number?, optional?, className?}. `sorted`: {column, down}; onsort(column) makes the heads buttons.
  function table(columns, rows, sorted, onsort) {
    const head = columns.map((column, i) => {
      const classes = [column.number ? "number" : "", column.optional ? "optional" : ""].join(" ").trim();
      const order = sorted && sorted.column === i ? (sorted.down ? "descending" : "ascending") : null;
      const name = onsort && column.title ? el("button", { type: "button", onclick: () => onsort(i) }, column.title) : column.title;
      return el("th", { class: classes || null, scope: "col", "aria-sort": order }, name);
    });
    const body = rows.map((row) => el("tr", {}, ...columns.map((column) => {
      const value = column.value(row);
      const classes = [column.number ? "number" : column.className || "text", column.optional ? "optional" : ""].join(" ").trim();
      return el("td", { class: classes }, column.show ? column.show(value, row) : String(value));
    })));
    return el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...body));
  }

  function sortRows(rows, columns, sorted) {
    const value = columns[sorted.column].value;
    const sign = sorted.down ? -1 : 1;
    return rows.map((row, i) => [row, i]).sort(([a, i], [b, j]) => {
      const x = value(a), y = value(b);
      return (x < y ? -sign : x > y ? sign : 0) || i - j;
    }).map(([row]) => row);
  }

  // A table that sorts itself, and shows its first rows until asked for all.
  function sortable(place, columns, rows, sorted, most = rows.length) {
    const draw = (focus) => {
      place.replaceChildren(table(columns, sortRows(rows, columns, sorted).slice(0, most), sorted, (column) => {
        sorted = { column, down: sorted.column === column ? !sorted.down : !!columns[column].number };
        draw(column);
      }));
      if (most < rows.length) place.append(el("button", { type: "button", class: "all", onclick: () => { most = rows.length; draw(); } }, `Show all ${rows.length}`));
      if (focus !== undefined) place.querySelectorAll("th")[focus].firstChild.focus();
    };
    draw();
  }

  const share = (part, whole, of = "miss") => el("span", { class: `share ${of}`, "aria-hidden": "true" }, el("i", { style: `width:${whole ? (100 * part) / whole : 0}%` }));

  // ---- summary ------------------------------------------------------------------------------------------------------------

  function drawSummary() {
    const s = data.summary;
    document.title = `kache: ${percent(s.hits, s.total)} of ${s.total} – build report`;
    at("about").textContent = `${data.label} · kache ${data.version} · ${day(data.generated)} UTC`;
    const cards = [
      [percent(s.hits, s.total), `hit rate, ${s.hits} of ${s.total}`],
      [s.saved + s.spent ? percent(s.saved, s.saved + s.spent) : "–", "by compile time"],
      [ms(s.saved), "of compile time avoided"],
      [ms(s.spent), `spent on ${plural(s.compiled, "compile")}`],
      [ms(s.wall), s.builds > 1 ? `in ${s.builds} builds` : "from beginning to end"],
      [!s.hits ? "–" : s.hit_elapsed < s.hits ? "< 1 ms" : ms(s.hit_elapsed / s.hits), "for a hit, on average"],
      [s.passthroughs + s.skipped, "passed through or skipped"],
      [s.errors, "failed compiles"],
    ];
    const nodes = cards.map(([value, label]) => el("div", {}, el("b", {}, String(value)), el("span", {}, label)));
    const all = s.total + s.errors + s.passthroughs + s.skipped;
    const parts = [["hit", s.hits], ["dup", s.dups], ["miss", s.misses], ["error", s.errors], ["passthrough", s.passthroughs], ["skipped", s.skipped]];
    const bars = parts.filter(([, n]) => n > 0).map(([name, n]) => el("i", { style: `width:${(100 * n) / all}%;background:var(--${name})`, title: `${n} ${name}` }));
    at("summary").append(el("div", { class: "meter", "aria-hidden": "true" }, ...bars), ...nodes);
    at("advice").hidden = data.suggestions.length === 0;
    at("advice").append(...data.suggestions.map((text) => el("li", {}, text)));
  }

  // ---- timeline -----------------------------------------------------------------------------------------------------------

  const ROW = 20, AXIS = 22;
  const chart = at("chart");
  let shown = [], first = 0, last = 1, from = 0, to = 1, chosen = -1;

  function chooseBuild(number) {
    shown = events.filter((event) => number === "" || event.build === Number(number)).sort((a, b) => a.start - b.start);
    first = shown.length ? shown[0].start : 0;
    last = shown.reduce((end, event) => Math.max(end, event.start + event.elapsed), first + 1);
    const free = [];
    for (const event of shown) {
      let lane = free.findIndex((end) => end <= event.start);
      if (lane < 0) lane = free.length;
      free[lane] = event.start + event.elapsed;
      event.lane = lane;
    }
    chosen = -1;
    showSpan(first, last);
  }

  function showSpan(a, b) {
    const least = Math.min(5, last - first);
    const length = Math.min(Math.max(b - a, least), last - first);
    from = Math.min(Math.max(a, first), last - length);
    to = from + length;
    drawTimeline();
  }

  // Marks the bar and tells about it, without drawing: that would take the bar from under the pointer.
  function point(event) {
    chosen = shown.indexOf(event);
    for (const bar of chart.querySelectorAll(".bar")) bar.classList.toggle("chosen", Number(bar.dataset.i) === chosen);
    const phases = [["key", event.k], ["lookup", event.l], ["restore", event.r], ["store", event.s]].filter(([, n]) => n > 0);
    at("picked").replaceChildren(
      el("b", {}, event.name), ` ${event.type} – ${kind(event.result)[0]}, ${ms(event.elapsed)} from ${ms(event.start - first)}`,
      event.compile ? (kind(event.result)[1] === "hit" ? `, ${ms(event.compile)} of compile time avoided` : `, ${ms(event.compile)} in the compiler`) : "",
      phases.length ? ` (${phases.map(([name, n]) => `${name} ${ms(n)}`).join(", ")})` : "", event.why ? ` – ${event.why}` : "");
  }

  function step(length) {
    const rough = length / Math.max(2, Math.min(10, chart.clientWidth / 90));
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
    return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) || power * 10;
  }

  function drawTimeline() {
    const width = Math.max(chart.clientWidth, 200);
    const lanes = shown.reduce((most, event) => Math.max(most, event.lane + 1), 1);
    const height = lanes * ROW + AXIS;
    const scale = width / (to - from);
    const svg = el("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    for (let t = Math.ceil((from - first) / step(to - from)) * step(to - from); t <= to - first; t += step(to - from)) {
      const x = (t + first - from) * scale;
      svg.append(el("line", { class: "grid", x1: x, x2: x, y1: 0, y2: height - AXIS }), el("text", { x: x + 3, y: height - 8 }, ms(t)));
    }
    const ends = []; // of what was drawn in each lane, so that a thousand hits of a pixel are one bar
    shown.forEach((event, i) => {
      if (event.start + event.elapsed < from || event.start > to) return;
      const x = (event.start - from) * scale, w = Math.max(event.elapsed * scale - 0.5, 1.5), y = event.lane * ROW + 2;
      const end = ends[event.lane];
      if (i !== chosen && w < 2 && end && x + w <= end.x && end.result === event.result) return;
      ends[event.lane] = { x: x + w, result: event.result };
      const bar = el("rect", { class: i === chosen ? "bar chosen" : "bar", "data-i": i, x, y, width: w, height: ROW - 4, rx: 2, style: `fill:${colour(event.result)}`, onpointerenter: () => point(event) },
        el("title", {}, `${event.name}: ${kind(event.result)[0]}, ${ms(event.elapsed)}${event.why ? ` – ${event.why}` : ""}`));
      svg.append(bar);
      const from_left = Math.max(x, 0), visible = Math.min(x + w, width) - from_left;
      if (visible > 46) svg.append(el("text", { class: "name", x: from_left + 4, y: y + 12 }, event.name.slice(0, Math.floor(visible / 7))));
    });
    chart.replaceChildren(svg);
  }

  function setUpTimeline() {
    const zoom = (factor) => { const middle = (from + to) / 2, half = ((to - from) * factor) / 2; showSpan(middle - half, middle + half); };
    const move = (part) => showSpan(from + (to - from) * part, to + (to - from) * part);
    const go = (by) => {
      if (!shown.length) return;
      const event = shown[chosen < 0 ? 0 : (chosen + by + shown.length) % shown.length];
      if (event.start + event.elapsed < from || event.start > to) showSpan(event.start - (to - from) / 2, event.start + (to - from) / 2);
      point(event);
      drawTimeline();  // it may have been too small to be seen
    };
    const all = () => showSpan(first, last);
    const keys = { "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: all, ArrowLeft: () => move(-0.25), ArrowRight: () => move(0.25), n: () => go(1), p: () => go(-1) };
    chart.addEventListener("keydown", (e) => {
      if (!keys[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
      keys[e.key]();
      e.preventDefault();
    });
    at("zoom-in").onclick = keys["+"];
    at("zoom-out").onclick = keys["-"];
    at("move-left").onclick = keys.ArrowLeft;
    at("move-right").onclick = keys.ArrowRight;
    at("zoom-all").onclick = all;
    chart.addEventListener("wheel", (e) => {
      if (!e.ctrlKey) return;
      e.preventDefault();
      const t = from + ((e.clientX - chart.getBoundingClientRect().left) / chart.clientWidth) * (to - from), factor = e.deltaY < 0 ? 0.8 : 1.25;
      showSpan(t - (t - from) * factor, t + (to - t) * factor);
    }, { passive: false });

    let began = null;
    const time = (e) => from + (Math.min(Math.max(e.clientX - chart.getBoundingClientRect().left, 0), chart.clientWidth) / chart.clientWidth) * (to - from);
    chart.addEventListener("pointerdown", (e) => { if (e.pointerType === "mouse" && e.button === 0) began = { x: e.clientX, t: time(e) }; });
    addEventListener("pointermove", (e) => {
      if (!began || Math.abs(e.clientX - began.x) < 5) return;
      const svg = chart.querySelector("svg"), scale = chart.clientWidth / (to - from), a = Math.min(began.t, time(e)), b = Math.max(began.t, time(e));
      const old = svg.querySelector(".span");
      if (old) old.remove();
      svg.append(el("rect", { class: "span", x: (a - from) * scale, y: 0, width: (b - a) * scale, height: svg.getAttribute("height") }));
    });
    addEventListener("pointerup", (e) => {
      if (began && Math.abs(e.clientX - began.x) >= 5) showSpan(Math.min(began.t, time(e)), Math.max(began.t, time(e)));
      began = null;
    });
    let width = chart.clientWidth;
    addEventListener("resize", () => { if (chart.clientWidth !== width) width = chart.clientWidth, drawTimeline(), drawBuilds(); });

    const results = [...new Set(events.map((event) => kind(event.result)[1]))];
    const names = { hit: "hit", miss: "miss", dup: "dup", error: "failed", passthrough: "passed through", skipped: "skipped" };
    at("legend").append(...results.map((name) => el("span", {}, el("i", { style: `background:var(--${name})` }), names[name])));

    const numbers = [...new Set(events.map((event) => event.build))].filter((n) => n > 0).sort((a, b) => a - b);
    const select = at("timeline-build");
    at("timeline-choice").hidden = numbers.length < 2;
    for (const number of numbers) {
      const build = data.builds.find((one) => one.number === number);
      select.append(el("option", { value: number }, build ? `${number}: ${build.tool || "build"} ${day(build.start)}, ${ms(build.wall)}` : String(number)));
    }
    if (numbers.length !== 1) select.append(el("option", { value: "" }, "all of them"));
    select.onchange = () => chooseBuild(select.value);
    chooseBuild(select.value);
  }

  // ---- causes -------------------------------------------------------------------------------------------------------------

  function unitNames(units) {
    const most = 6, text = units.slice(0, most).join(", ");
    return units.length > most ? `${text} and ${units.length - most} more` : text;
  }

  function drawCauses() {
    const kinds = new Map();
    for (const cause of data.causes) {
      const one = kinds.get(cause.why) || { why: cause.why, ms: 0, count: 0, fix: cause.fix, rows: [] };
      one.ms += cause.ms;
      one.count += cause.count;
      one.rows.push(cause);
      kinds.set(cause.why, one);
    }
    const list = [...kinds.values()].sort((a, b) => b.ms - a.ms || b.count - a.count);
    const total = list.reduce((sum, one) => sum + one.ms, 0);
    at("cause-list").replaceChildren(...list.map((one, i) => {
      const columns = [
        { title: "What", value: (row) => row.what || "–" },
        { title: "Time", value: (row) => row.ms, show: ms, number: true },
        { title: "Count", value: (row) => row.count, number: true },
        { title: "Units", value: (row) => unitNames(row.units) },
      ];
      return el("details", { open: i === 0 ? "" : null },
        el("summary", {}, el("b", {}, one.why), share(one.ms, total), el("span", {}, ms(one.ms)), el("span", {}, plural(one.count, "unit"))),
        el("div", { class: "inside" }, one.fix ? el("p", { class: "note" }, `What helps: ${one.fix}.`) : null,
          el("div", { class: "wide" }, table(columns, one.rows.slice(0, 50))),
          one.rows.length > 50 ? el("p", { class: "note" }, `and ${one.rows.length - 50} more`) : null));
    }));
    if (!list.length) at("cause-list").textContent = "Nothing missed.";

    const known = data.almost;
    const most = known.reduce((sum, row) => Math.max(sum, row.ms), 0);
    if (!known.length) at("almost-list").textContent = "None: what missed was compiled with this command line for the first time, or its result was gone.";
    else sortable(at("almost-list"), [
      { title: "But for this", value: (row) => row.what },
      { title: "", value: (row) => row.ms, show: (value) => share(value, most), optional: true },
      { title: "Compile time", value: (row) => row.ms, show: ms, number: true },
      { title: "Units", value: (row) => row.count, number: true },
      { title: "Which", value: (row) => unitNames(row.units) },
    ], known, { column: 2, down: true }, 20);
  }

  // ---- builds -------------------------------------------------------------------------------------------------------------

  function drawBuilds() {
    const place = at("build-chart"), list = [...data.builds].reverse();
    if (!list.length) return void (place.textContent = "No build is recorded.");
    const width = Math.max(place.clientWidth, 200), height = 150, bottom = 18, left = 40;
    const slot = (width - left) / list.length, bar = Math.max(Math.min(slot * 0.7, 42), 2);
    const svg = el("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Hit rates of the last ${list.length} builds; the table below has them.` });
    for (const part of [0, 0.5, 1]) {
      const y = (height - bottom - 8) * (1 - part) + 8;
      svg.append(el("line", { class: "grid", x1: left, x2: width, y1: y, y2: y }), el("text", { x: 0, y: y + 4 }, `${100 * part} %`));
    }
    list.forEach((build, i) => {
      const rate = build.total ? build.hits / build.total : 0, full = height - bottom - 8, h = Math.max(full * rate, 1);
      const x = left + i * slot + (slot - bar) / 2;
      svg.append(el("rect", { class: "bar", x, y: height - bottom - h, width: bar, height: h, rx: 2, style: `fill:var(--${build.total ? "hit" : "passthrough"})` },
        el("title", {}, `build ${build.number}: ${percent(build.hits, build.total)} of ${build.total}, ${build.tool} ${day(build.start)}, ${build.root}`)));
      if (slot > 20) svg.append(el("text", { x: x + bar / 2, y: height - 4, "text-anchor": "middle" }, build.number));
    });
    place.replaceChildren(svg);
  }

  function listBuilds() {
    sortable(at("build-list"), [
      { title: "Build", value: (b) => b.number, number: true },
      { title: "When (UTC)", value: (b) => b.start, show: day, className: "still" },
      { title: "Tool", value: (b) => b.tool, className: "still" },
      { title: "Took", value: (b) => b.wall, show: ms, number: true },
      { title: "Hits", value: (b) => b.hits, number: true },
      { title: "Misses", value: (b) => b.total - b.hits, number: true },
      { title: "Hit rate", value: (b) => (b.total ? b.hits / b.total : -1), show: (v, b) => percent(b.hits, b.total), number: true },
      { title: "Compiled", value: (b) => b.spent, show: ms, number: true },
      { title: "Avoided", value: (b) => b.saved, show: ms, number: true },
      { title: "Tree", value: (b) => b.root },
    ], data.builds, { column: 0, down: false });
  }

  // ---- store --------------------------------------------------------------------------------------------------------------

  function drawStore() {
    const store = data.store;
    if (!store) return void (at("store-note").textContent = "The store could not be read.");
    at("store-note").textContent = `${plural(store.entries, "result")} of ${plural(store.units, "unit")}, ${size(store.bytes)} of ${size(store.limit)}.` +
      (store.crates.length < store.units ? ` The ${store.crates.length} largest:` : "");
    const most = store.crates.reduce((sum, row) => Math.max(sum, row.bytes), 0);
    sortable(at("store-list"), [
      { title: "Unit", value: (row) => row.name },
      { title: "Kind", value: (row) => row.type, className: "still", optional: true },
      { title: "", value: (row) => row.bytes, show: (value) => share(value, most, "stored"), optional: true },
      { title: "Size", value: (row) => row.bytes, show: size, number: true },
      { title: "Results", value: (row) => row.entries, number: true, optional: true },
      { title: "Compile time", value: (row) => row.ms, show: ms, number: true },
    ], store.crates, { column: 3, down: true }, 20);
  }

  // ---- events -------------------------------------------------------------------------------------------------------------

  const COLUMNS = [
    { id: "time", title: "Time (UTC)", value: (e) => e.start, show: (t) => day(data.origin + t).slice(11), className: "still", optional: true },
    { id: "name", title: "Unit", value: (e) => e.name },
    { id: "type", title: "Kind", value: (e) => e.type, className: "still", optional: true },
    { id: "result", title: "Result", value: (e) => kind(e.result)[0], className: "still", show: (text, e) => el("span", {}, el("i", { class: "dot", style: `background:${colour(e.result)}` }), text) },
    { id: "elapsed", title: "Took", value: (e) => e.elapsed, show: ms, number: true },
    { id: "compile", title: "Compile", value: (e) => e.compile, show: ms, number: true },
    { id: "size", title: "Size", value: (e) => e.size, show: size, number: true, optional: true },
    { id: "why", title: "Why", value: (e) => e.why },
    { id: "key", title: "Key", value: (e) => e.key, className: "key", optional: true },
    { id: "build", title: "Build", value: (e) => e.build, number: true, optional: true },
  ];
  const PAGE = 200;
  const view = { q: "", result: "", sort: { column: 0, down: false }, pages: 1 };

  function readHash() {
    const params = new URLSearchParams(location.hash.slice(1));
    if (![...params.keys()].some((name) => ["q", "result", "sort"].includes(name))) return;
    view.q = params.get("q") || "";
    view.result = params.get("result") || "";
    const sort = params.get("sort") || "time", column = COLUMNS.findIndex((one) => one.id === sort.replace(/^-/, ""));
    view.sort = { column: Math.max(column, 0), down: sort.startsWith("-") };
    at("search").value = view.q;
    at("result").value = view.result;
    drawEvents();
  }

  function writeHash() {
    const params = new URLSearchParams();
    if (view.q) params.set("q", view.q);
    if (view.result) params.set("result", view.result);
    params.set("sort", (view.sort.down ? "-" : "") + COLUMNS[view.sort.column].id);
    history.replaceState(null, "", `#${params}`);
  }

  function drawEvents(focus) {
    const words = view.q.toLowerCase().split(/\s+/).filter(Boolean);
    const found = events.filter((event) => (!view.result || event.result === view.result) && words.every((word) => event.search.includes(word)));
    const rows = sortRows(found, COLUMNS, view.sort).slice(0, PAGE * view.pages);
    at("event-list").replaceChildren(table(COLUMNS, rows, view.sort, (column) => {
      view.sort = { column, down: view.sort.column === column ? !view.sort.down : !!COLUMNS[column].number };
      writeHash();
      drawEvents(column);
    }));
    if (focus !== undefined) at("event-list").querySelectorAll("th")[focus].firstChild.focus();
    at("count").textContent = `${found.length} of ${plural(events.length, "event")}${data.left_out ? ` (${data.left_out} older ones are left out)` : ""}${rows.length < found.length ? `, the first ${rows.length} are shown` : ""}`;
    at("more").hidden = rows.length === found.length;
  }

  function setUpEvents() {
    const results = [...new Set(events.map((event) => event.result))].sort();
    at("result").append(...results.map((name) => el("option", { value: name }, kind(name)[0])));
    const change = () => {
      view.q = at("search").value;
      view.result = at("result").value;
      view.pages = 1;
      writeHash();
      drawEvents();
    };
    at("search").oninput = change;
    at("result").onchange = change;
    at("more").onclick = () => { view.pages += 1; drawEvents(); };
    addEventListener("hashchange", readHash);
    drawEvents();
    readHash();
  }

  drawSummary();
  setUpTimeline();
  drawCauses();
  drawBuilds();
  listBuilds();
  drawStore();
  setUpEvents();
})();
