// Draws what /api/v1/policies says, once a second. Everything from there is text: it is set as textContent and is never
// read as HTML, for names and reasons are other people's words.
const EVERY_MS = 1_000;
const SVG = "http://www.w3.org/2000/svg";
const policies = document.getElementById("policies");
const state = document.getElementById("state");

const COLUMNS = [
  { title: "Node", text: (node) => node.name },
  { title: "Rate /s", number: true, text: (node) => decimal(node.rate) },
  { title: "Waiting", number: true, text: (node) => decimal(node.lag) },
  { title: "Parallelism", number: true, text: (node) => String(node.parallelism) },
  { title: "Ready", number: true, text: (node) => String(node.ready) },
  { title: "Wanted", number: true, text: (node) => (node.wanted === undefined ? "–" : String(node.wanted)) },
  { title: "Granted", number: true, text: (node) => String(node.granted) },
  { title: "Why", name: "why", text: (node) => node.why.join(", ") },
];

let drawn = "";
void poll();

async function poll() {
  try {
    const answer = await fetch("/api/v1/policies", {
      cache: "no-store",
      signal: AbortSignal.timeout(5 * EVERY_MS),
    });
    if (!answer.ok) throw new Error(`the host answers ${answer.status}`);
    const text = await answer.text();
    // What has not changed is left alone, so that a selection and the place of a screen reader stay.
    if (text !== drawn) draw(JSON.parse(text));
    drawn = text;
    say(
      `Live, ${JSON.parse(text).policies.length} ${JSON.parse(text).policies.length === 1 ? "policy" : "policies"}`,
      "",
    );
  } catch {
    say("The host does not answer: what is shown is its last word.", "lost");
  }
  setTimeout(() => void poll(), EVERY_MS);
}

function say(words, look) {
  if (state.textContent !== words) state.textContent = words;
  state.className = look;
}

function draw(view) {
  const most = Math.max(
    1,
    ...view.policies.flatMap((policy) => policy.nodes.map((node) => Math.max(node.granted, node.ready))),
  );
  const sections = view.policies.map((policy) => drawPolicy(policy, most));
  if (view.omitted > 0)
    sections.push(
      element("p", { className: "about", textContent: `${view.omitted} more policies are not shown.` }),
    );
  policies.replaceChildren(...sections);
}

function drawPolicy(policy, most) {
  const title = element("h2", { textContent: policy.key });
  const outcome = element("span", { className: policy.outcome, textContent: policy.outcome });
  const about = element("p", { className: "about" });
  about.append(
    `${policy.mode} · pass ${policy.number} at ${timeOf(policy.at)} · `,
    outcome,
    ` · ${policy.algorithm}`,
  );
  const parts = [title, about];
  if (policy.fault)
    parts.push(
      element("p", { className: "fault", textContent: `${policy.fault.code}: ${policy.fault.message}` }),
    );
  if (policy.nodes.length > 0) parts.push(drawTable(policy, most));
  const section = element("section", {});
  section.append(...parts);
  section.setAttribute("aria-label", `Policy ${policy.key}`);
  return section;
}

function drawTable(policy, most) {
  const table = element("table", {});
  const head = table.createTHead().insertRow();
  for (const column of COLUMNS)
    head.append(element("th", { scope: "col", textContent: column.title, className: lookOf(column) }));
  head.lastChild.before(element("th", { scope: "col", textContent: "Ready of granted" }));
  const body = table.createTBody();
  for (const node of policy.nodes) body.append(drawNode(node, most));
  const scroll = element("div", { className: "scroll", tabIndex: 0 });
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", `Nodes of ${policy.key}`);
  scroll.append(table);
  return scroll;
}

function drawNode(node, most) {
  const row = element("tr", {});
  for (const [at, column] of COLUMNS.entries()) {
    const cell = element(at === 0 ? "th" : "td", {
      textContent: column.text(node),
      className: lookOf(column),
    });
    if (at === 0) cell.scope = "row";
    if (column.title === "Granted" && node.granted !== node.parallelism) cell.classList.add("changed");
    row.append(cell);
  }
  const bar = element("td", {});
  bar.append(drawBar(node, most));
  row.lastChild.before(bar);
  return row;
}

function drawBar(node, most) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "bar");
  svg.setAttribute("viewBox", `0 0 ${most} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${node.ready} ready of ${node.granted} granted`);
  for (const part of ["granted", "ready"]) {
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", part);
    rect.setAttribute("width", String(node[part]));
    rect.setAttribute("height", "1");
    svg.append(rect);
  }
  return svg;
}

function lookOf(column) {
  return column.number ? "number" : (column.name ?? "");
}

function timeOf(at) {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? at : time.toLocaleTimeString();
}

function decimal(value) {
  if (value === undefined) return "–";
  return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0 });
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}
