"use strict";
// Live numbers and rows, local times, keyboard. Everything that came from outside is set as text, never as HTML.
(() => {
  const words = JSON.parse(document.body.dataset.words || "{}");
  const root = document.documentElement;
  const byID = (id) => document.getElementById(id);

  // Times: local and short, exact on hover.
  const clock = new Intl.DateTimeFormat(root.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const dayAndClock = new Intl.DateTimeFormat(root.lang, { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const label = new Intl.DateTimeFormat(root.lang, { weekday: "short", hour: "2-digit", minute: "2-digit", hour12: false });
  const isToday = (time) => time.toDateString() === new Date().toDateString();
  function showTimes(within) {
    for (const element of within.querySelectorAll("time[datetime]")) {
      const time = new Date(element.dateTime);
      if (isNaN(time)) continue;
      element.textContent = (isToday(time) ? clock : dayAndClock).format(time);
      element.title = time.toString();
    }
    for (const text of within.querySelectorAll("text[data-time]")) {
      text.textContent = label.format(new Date(Number(text.dataset.time)));
    }
  }
  showTimes(document);

  // Theme: the system's unless chosen.
  const theme = byID("theme");
  const chosen = localStorage.getItem("belfry-theme");
  if (chosen) root.dataset.theme = chosen;
  if (theme) theme.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("belfry-theme", root.dataset.theme);
  });

  function toast(text) {
    const place = byID("toast");
    if (!place) return;
    place.textContent = text;
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => { place.textContent = ""; }, 4000);
  }

  // Numbers.
  const number = new Intl.NumberFormat(root.lang);
  const span = (ms) => ms === null || ms === undefined ? "–"
    : ms < 1000 ? number.format(ms) + " ms"
    : ms < 60000 ? (ms / 1000).toFixed(1) + " s"
    : ms < 3600000 ? (ms / 60000).toFixed(1) + " min" : (ms / 3600000).toFixed(1) + " h";
  function put(id, text) {
    const element = byID(id);
    if (element && element.textContent !== text) element.textContent = text;
  }
  function showStats(stats) {
    put("due-now", number.format(stats.due_now));
    put("scheduled", number.format(stats.scheduled));
    put("in-flight", number.format(stats.in_flight));
    put("lateness", span(stats.lateness_ms.p95));
    put("lateness-p99", span(stats.lateness_ms.p99));
    put("overdue", span(stats.oldest_overdue_ms));
    put("sent", number.format(stats.sent_last_minute));
    put("sent-limit", stats.send_limit_per_minute === null ? "∞" : number.format(stats.send_limit_per_minute));
    put("failed", number.format(stats.failed_last_hour));
    const tile = byID("failed-tile");
    if (tile) tile.classList.toggle("bad", stats.failed_last_hour > 0);
    const late = byID("lateness-tile");
    if (late) late.classList.toggle("warn", (stats.oldest_overdue_ms || 0) > 60000);
  }

  // Rows of deliveries.
  const tone = (state) => state === "sent" ? "good"
    : ["dead", "unknown", "window_45015", "count_45047", "refused_43101", "quota_day"].includes(state) ? "bad"
    : ["retrying", "no_grant", "expired", "held_quiet", "held_rate", "held_window", "held_paused"].includes(state) ? "warn" : "soft";
  function cell(row, ...children) {
    const td = row.insertCell();
    td.append(...children);
    return td;
  }
  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.textContent = text;
    return made;
  }
  function showDelivery(delivery) {
    const body = byID("deliveries");
    if (!body || body.dataset.filtered) return;
    const key = [delivery.push, delivery.sequence, delivery.attempt, delivery.state].join(" ");
    for (const row of body.rows) if (row.dataset.key === key) return;
    const empty = byID("deliveries-empty");
    if (empty) empty.remove();
    const table = byID("deliveries-table");
    if (table) table.hidden = false;
    const row = body.insertRow(0);
    row.className = "new";
    row.dataset.key = key;
    const time = document.createElement("time");
    time.dateTime = delivery.at;
    cell(row, time).className = "time";
    cell(row, element("span", "state " + tone(delivery.state), words[delivery.state] || delivery.state));
    const person = element("a", "mono", delivery.to);
    person.href = "/console/people/" + encodeURIComponent(delivery.account) + "/" + encodeURIComponent(delivery.to);
    cell(row, person, " ", element("span", "remedy", delivery.account));
    cell(row, element("span", "mono", delivery.flow ? delivery.flow + (delivery.step ? " · " + delivery.step : "") : delivery.push));
    const why = cell(row, delivery.reason ? delivery.reason.message : "");
    if (delivery.reason && delivery.reason.remedy) why.append(document.createElement("br"), element("span", "remedy", delivery.reason.remedy));
    cell(row, delivery.lateness_ms === null ? "" : span(delivery.lateness_ms)).className = "time";
    showTimes(row);
    while (body.rows.length > 50) body.deleteRow(-1);
  }

  // Live: paused while the page is hidden or text is selected.
  const mark = byID("live");
  let source = null;
  let chartTimer = 0;
  let last = mark ? mark.dataset.last : "";
  function setLive(state) {
    if (!mark) return;
    mark.dataset.state = state;
    mark.textContent = words["live_" + state] || state;
  }
  const isSelecting = () => { const selection = getSelection(); return selection && !selection.isCollapsed; };
  function open() {
    if (!mark || source) return;
    source = new EventSource("/v1/stream?topics=stats,delivery" + (last ? "&after=" + last : ""));
    source.addEventListener("open", () => setLive("on"));
    source.addEventListener("error", () => setLive("off"));
    source.addEventListener("stats", (event) => showStats(JSON.parse(event.data)));
    source.addEventListener("delivery", (event) => { last = event.lastEventId || last; if (!isSelecting()) showDelivery(JSON.parse(event.data)); });
    chartTimer = setInterval(refreshChart, 15000);
  }
  function close() {
    if (!source) return;
    source.close();
    source = null;
    clearInterval(chartTimer);
    setLive("paused");
  }
  async function refreshChart() {
    const place = byID("chart");
    if (!place) return;
    try {
      const answer = await fetch("/console/chart", { headers: { Accept: "image/svg+xml" } });
      if (!answer.ok) return;
      const parsed = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
      if (parsed.querySelector("parsererror")) return;
      place.replaceChildren(document.importNode(parsed.documentElement, true));
      showTimes(place);
    } catch { /* The next refresh tries again; the live mark says that the server is away. */ }
  }
  document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
  addEventListener("pagehide", close);
  if (!document.hidden) open();

  // A list that could not be read tries again by itself.
  if (document.querySelector(".empty.down")) setTimeout(() => location.reload(), 3000);

  // Buttons that act without leaving the page.
  for (const form of document.querySelectorAll("form[data-quiet]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" } });
        const body = await answer.json();
        toast(answer.ok ? form.dataset.quiet : body.detail || body.title);
      } catch { toast(words.live_off || "offline"); }
    });
  }

  // Keyboard: / search, g o overview, t theme, ? help.
  let pending = "";
  addEventListener("keydown", (event) => {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("input, textarea, select")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (pending === "g" && event.key === "o") { pending = ""; location.href = "/console"; return; }
    pending = event.key === "g" ? "g" : "";
    if (event.key === "/") { event.preventDefault(); const search = byID("search"); if (search) search.focus(); }
    if (event.key === "t" && theme) theme.click();
    if (event.key === "?") { const help = byID("help"); if (help) help.showModal(); }
  });
})();
