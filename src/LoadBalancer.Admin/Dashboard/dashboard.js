"use strict";
(() => {
  const Samples = 120, RateSeconds = 5, LatencySeconds = 15, EventsShown = 100;
  const $ = id => document.getElementById(id);
  const history = []; // answers of the listener, the newest last
  const lines = { rps: [], p99: [], errors: [], connections: [] };
  const rows = new Map(); // of destinations, by cluster and name
  const clusters = new Map();
  let token = sessionStorage.getItem("token"), lastEvent = 0, timer = 0, events = [], startedAt = null;

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const set = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  const count = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const rate = n => n >= 99.95 ? count.format(n) : n >= 9.995 ? n.toFixed(1) : n > 0 ? n.toFixed(2) : "0";
  const duration = seconds => seconds === null ? "–" : seconds < 0.00995 ? (seconds * 1000).toFixed(1) + " ms" : seconds < 0.9995 ? (seconds * 1000).toFixed(0) + " ms" : seconds.toFixed(seconds < 10 ? 2 : 1) + " s";
  const age = seconds => seconds < 120 ? Math.floor(seconds) + " s" : seconds < 7200 ? Math.floor(seconds / 60) + " min" : seconds < 172800 ? Math.floor(seconds / 3600) + " h" : Math.floor(seconds / 86400) + " days";
  const words = name => { const text = name.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase(); return text[0].toUpperCase() + text.slice(1); };

  async function ask(method, path) {
    const headers = token ? { Authorization: "Bearer " + token } : {};
    const answer = await fetch(path, { method, headers, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(10000) });
    const body = await answer.json().catch(() => null);
    if (answer.ok) return body;
    throw Object.assign(new Error(body && body.detail || "status " + answer.status), { status: answer.status });
  }

  function tell(text, isDone) {
    $("message").hidden = !text;
    $("message").className = isDone ? "done" : "";
    set($("message"), text || "");
  }

  // What was counted at most so long before the newest answer.
  function before(seconds) {
    const newest = history[history.length - 1];
    let found = newest;
    for (let i = history.length - 2; i >= 0 && newest.time - history[i].time <= seconds * 1000 + 500; i--) found = history[i];
    return found;
  }

  const difference = (now, then) => now.map((n, i) => n - (then ? then[i] : 0));

  // Linear within a bucket of the histogram; above the last bound nothing more is known.
  function percentile(counts, bounds, share) {
    const total = counts.reduce((a, b) => a + b, 0);
    if (total === 0) return null;
    let rank = share * total, i = 0;
    while (i < counts.length - 1 && rank > counts[i]) rank -= counts[i++];
    if (i >= bounds.length) return bounds[bounds.length - 1];
    const low = i === 0 ? 0 : bounds[i - 1];
    return low + (bounds[i] - low) * Math.min(1, rank / Math.max(1, counts[i]));
  }

  function spark(svg, values, floor) {
    const width = 240, height = 34, max = Math.max(floor, ...values);
    if (!svg.firstChild) {
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      for (const name of ["area", "line"]) {
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("class", name);
        svg.append(path);
      }
    }
    const span = Math.max(30, values.length), step = width / (span - 1), from = span - values.length;
    const points = values.map((v, i) => `${((from + i) * step).toFixed(1)} ${(height - 1 - v / max * (height - 3)).toFixed(1)}`);
    if (points.length < 2) return;
    svg.lastChild.setAttribute("d", "M" + points.join("L"));
    svg.firstChild.setAttribute("d", `M${(from * step).toFixed(1)} ${height}L${points.join("L")}L${width} ${height}Z`);
  }

  function note(line, value) {
    line.push(value);
    if (line.length > Samples) line.shift();
  }

  function showFigures(now) {
    const then = before(RateSeconds), seconds = Math.max(0.001, (now.time - then.time) / 1000);
    const classes = difference(now.requests.byClass, then === now ? now.requests.byClass : then.requests.byClass);
    const total = classes.reduce((a, b) => a + b, 0), rps = total / seconds, errors = classes[5] / seconds;
    const durations = difference(now.requests.durations, before(LatencySeconds).requests.durations);
    const [p50, p90, p99] = [0.5, 0.9, 0.99].map(share => percentile(durations, now.requests.bounds, share));
    if (then !== now) { note(lines.rps, rps); note(lines.errors, errors); note(lines.p99, p99 || 0); note(lines.connections, now.connections.open); }
    set($("rps"), rate(rps));
    set($("rps-note"), count.format(now.requests.byClass.reduce((a, b) => a + b, 0)) + " since the start");
    set($("p50"), duration(p50)); set($("p90"), duration(p90)); set($("p99"), duration(p99));
    set($("errors"), rate(errors));
    set($("errors-note"), total > 0 ? (100 * classes[5] / total).toFixed(classes[5] && classes[5] * 10 < total ? 1 : 0) + " % of the requests" : "no requests");
    set($("connections"), count.format(now.connections.open));
    set($("connections-note"), now.connections.refused ? count.format(now.connections.refused) + " refused since the start" : count.format(now.connections.accepted) + " since the start");
    spark($("rps-line"), lines.rps, 1); spark($("errors-line"), lines.errors, 1); spark($("p99-line"), lines.p99, 0.001); spark($("connections-line"), lines.connections, 1);
  }

  function clusterCard(name) {
    if (clusters.has(name)) return clusters.get(name);
    const card = make("section", "cluster"), header = make("header"), body = make("div");
    const parts = { card, body, usable: make("span", "pill"), policy: make("span", "quiet"), more: make("p", "quiet more") };
    header.append(make("h3", "", name), parts.usable, make("span", "spacer"), parts.policy);
    const heads = make("div", "heads");
    heads.append(make("span"), make("span", "", "Destination"), make("span", "", "Share"), make("span", "number", "Requests/s"), make("span", "number", "First byte"), make("span", "number", "In flight"), make("span", "number", "Failures"), make("span"), make("span"));
    card.append(header, heads, body, parts.more);
    $("clusters").append(card);
    clusters.set(name, parts);
    return parts;
  }

  function destinationRow(cluster, name, body) {
    const key = cluster + "\n" + name;
    if (rows.has(key)) return rows.get(key);
    const row = { line: [], element: make("div", "destination"), dot: make("span", "dot"), name: make("b", "", name), address: make("span"), why: make("span", "why"), bar: make("i"), button: make("button"), numbers: {} };
    row.element.dataset.destination = name;
    const who = make("div", "who"), load = make("div", "load"), loads = make("div", "loads"), numbers = make("div", "numbers");
    row.name.title = name;
    who.append(row.name, row.address, row.why);
    load.append(row.bar);
    loads.append(load);
    for (const [id, text] of [["rps", "req/s"], ["latency", "first byte"], ["outstanding", "in flight"], ["failures", "failures/s"]]) {
      const cell = make("span", "number"), value = make("span");
      cell.append(value, make("small", "", text));
      row.numbers[id] = { cell, value };
      numbers.append(cell);
    }
    row.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    row.svg.setAttribute("class", "spark");
    row.svg.setAttribute("preserveAspectRatio", "none");
    row.svg.setAttribute("aria-hidden", "true");
    row.button.type = "button";
    row.button.addEventListener("click", () => act(cluster, name, row));
    row.element.append(row.dot, who, loads, numbers, row.svg, row.button);
    body.append(row.element);
    rows.set(key, row);
    return row;
  }

  async function act(cluster, name, row) {
    // The last one that takes requests is worth a second click.
    if (!row.drains && row.isLast && !row.asked) {
      row.asked = true;
      row.button.className = "ask";
      set(row.button, "Sure?");
      setTimeout(() => { row.asked = false; row.button.className = ""; set(row.button, row.drains ? "Enable" : "Drain"); }, 3000);
      return;
    }
    row.asked = false;
    row.button.className = "";
    row.button.disabled = true;
    try {
      await ask("POST", `/clusters/${encodeURIComponent(cluster)}/destinations/${encodeURIComponent(name)}:${row.drains ? "enable" : "drain"}`);
      tell("");
      await refresh();
    } catch (e) {
      tell(`${name}: ${e.message}`);
    }
    row.button.disabled = false;
  }

  function showClusters(now) {
    const then = before(RateSeconds), seconds = Math.max(0.001, (now.time - then.time) / 1000), early = before(LatencySeconds);
    const find = (answer, cluster, name) => (answer.clusters.find(c => c.name === cluster) || { destinations: [] }).destinations.find(d => d.name === name);
    const seen = new Set();
    for (const cluster of now.clusters) {
      const card = clusterCard(cluster.name);
      set(card.usable, cluster.usable === cluster.total ? `${cluster.total} usable` : `${cluster.usable} of ${cluster.total} usable`);
      card.usable.className = "pill " + (cluster.usable === 0 ? "bad" : cluster.usable === cluster.total ? "good" : "part");
      set(card.policy, cluster.balance);
      const shown = cluster.destinations.map(d => {
        const past = then === now ? d : find(then, cluster.name, d.name), old = find(early, cluster.name, d.name);
        return { d, rps: Math.max(0, d.attempts - (past ? past.attempts : 0)) / seconds, failures: Math.max(0, d.failures - (past ? past.failures : 0)) / seconds,
          latency: percentile(difference(d.firstBytes, old && old.firstBytes.length ? old.firstBytes : null), now.requests.bounds, 0.5) };
      });
      const all = shown.reduce((sum, one) => sum + one.rps, 0);
      for (const { d, rps, failures, latency } of shown) {
        const row = destinationRow(cluster.name, d.name, card.body);
        seen.add(cluster.name + "\n" + d.name);
        row.drains = d.reasons.includes("draining");
        row.isLast = d.usable && cluster.usable === 1;
        row.dot.className = "dot" + (d.usable ? "" : d.reasons.length === 1 && row.drains ? " off" : " bad");
        row.dot.title = d.usable ? "usable" : d.reasons.join(", ");
        set(row.address, d.address === d.name ? "" : d.address);
        row.why.hidden = d.usable;
        row.why.className = "why" + (d.reasons.length === 1 && row.drains ? " calm" : "");
        set(row.why, d.usable ? "" : d.reasons.join(", ") + (d.lastChange ? ": " + d.lastChange : ""));
        row.bar.style.width = (all > 0 ? 100 * rps / all : 0).toFixed(1) + "%";
        set(row.numbers.rps.value, rate(rps));
        set(row.numbers.latency.value, duration(latency));
        set(row.numbers.outstanding.value, count.format(d.outstanding));
        set(row.numbers.failures.value, failures > 0 ? rate(failures) + "/s" : "0");
        row.numbers.failures.cell.className = "number" + (failures > 0 ? " bad" : "");
        if (!row.asked) set(row.button, row.drains ? "Enable" : "Drain");
        row.button.setAttribute("aria-label", `${row.drains ? "Enable" : "Drain"} ${d.name}`);
        if (then !== now) note(row.line, rps);
        row.top = Math.max(0, ...row.line);
      }
      // One scale for a cluster: lines can be compared.
      const top = Math.max(1, ...shown.map(one => rows.get(cluster.name + "\n" + one.d.name).top));
      for (const { d } of shown) { const row = rows.get(cluster.name + "\n" + d.name); spark(row.svg, row.line, top); }
      card.more.hidden = cluster.total <= cluster.destinations.length;
      set(card.more, card.more.hidden ? "" : `and ${cluster.total - cluster.destinations.length} more, see lb destinations list`);
    }
    for (const [key, row] of rows) if (!seen.has(key)) { row.element.remove(); rows.delete(key); }
    for (const [name, card] of clusters) if (!now.clusters.some(c => c.name === name)) { card.card.remove(); clusters.delete(name); }
  }

  function showRows(element, list, none) {
    element.replaceChildren(...(list.length ? list.map(([name, detail, value]) => {
      const row = make("p"), left = make("span", "", name);
      if (detail) left.append(make("em", "", detail));
      row.append(left, make("span", "number", value));
      return row;
    }) : [make("p", "quiet", none)]));
  }

  function showEvents(now) {
    const known = events.length ? events[0].sequence : 0, fresh = now.events.filter(one => one.sequence > known);
    if (fresh.length === 0) return;
    events = [...fresh.reverse(), ...events].slice(0, EventsShown);
    $("events").replaceChildren(...events.map(one => {
      const item = make("li"), time = make("time", "", new Date(one.time).toLocaleTimeString("en-GB")), what = make("span", "what", one.text);
      time.dateTime = one.time;
      time.title = new Date(one.time).toLocaleString();
      const bad = /Unhealthy|Ejected|Failing|Expir|Refused|refusals|anned/.test(one.kind), good = /Healthy|Returned|Enabled|Restored|Started/.test(one.kind);
      const title = make("b", bad ? "bad" : good ? "good" : "", words(one.kind));
      if (one.subject) what.prepend(make("b", "", one.subject + " "));
      if (one.actor) what.append(make("span", "by", " by " + one.actor));
      item.append(time, title, what);
      return item;
    }));
  }

  function show(now) {
    const newest = history[history.length - 1];
    const start = now.time - now.uptimeSeconds * 1000;
    // Another process: its counts begin anew.
    if (startedAt !== null && Math.abs(start - startedAt) > 3000) { history.length = 0; events = []; for (const line of Object.values(lines)) line.length = 0; }
    startedAt = start;
    if (newest && now.time === newest.time) return;
    history.push(now);
    while (history.length > LatencySeconds + 3) history.shift();
    lastEvent = now.lastEvent;
    set($("state"), now.state);
    $("state").className = "pill " + (now.state === "serving" ? "good" : "bad");
    set($("about"), `${now.version}, up ${age(now.uptimeSeconds)}`);
    showFigures(now);
    showClusters(now);
    $("alarms").hidden = now.certificates.length === 0;
    set($("alarms"), now.certificates.map(c => `Certificate ${c.names.join(", ")}: ${c.problem || (c.state === "expired" ? "has expired" : c.state === "notYetValid" ? "is not valid yet" : `ends in ${c.daysLeft} days`)}`).join("; "));
    const fine = new Set(["Completed", "Cached", "Responded", "TunnelClosed"]);
    const past = before(LatencySeconds).ends;
    showRows($("reasons"), Object.entries(now.ends).filter(([name]) => !fine.has(name)).sort((a, b) => b[1] - a[1]).slice(0, 8)
      .map(([name, n]) => [words(name), n > (past[name] || 0) ? `+${count.format(n - (past[name] || 0))} lately` : "", count.format(n)]), "None since the start.");
    const refusedBefore = new Map(before(LatencySeconds).refusals.map(r => [r.policy + r.reason + r.dryRun, r.total]));
    const lately = r => r.total - (refusedBefore.get(r.policy + r.reason + r.dryRun) || 0);
    showRows($("refusals"), now.refusals.filter(r => r.total > 0).sort((a, b) => lately(b) - lately(a) || b.total - a.total).slice(0, 8)
      .map(r => [r.policy, words(r.reason).toLowerCase() + (r.dryRun ? ", dry run" : "") + (lately(r) > 0 ? `, +${count.format(lately(r))} lately` : ""), count.format(r.total)]), "Nothing was refused.");
    showEvents(now);
    $("main").hidden = false;
    $("login").hidden = true;
  }

  async function refresh() {
    try {
      show(await ask("GET", "/dashboard.json?since=" + lastEvent));
      if ($("message").dataset.lost) { delete $("message").dataset.lost; tell(""); }
    } catch (e) {
      if (e.status === 401) {
        sessionStorage.removeItem("token");
        if (token) tell("That is not the token.");
        token = null;
        $("login").hidden = false;
        $("main").hidden = true;
        $("token").focus();
        return false;
      }
      $("message").dataset.lost = "1";
      tell(e.status ? e.message : "The balancer does not answer; trying again.");
    }
    return true;
  }

  async function loop() {
    clearTimeout(timer);
    const goesOn = document.hidden || await refresh();
    clearTimeout(timer);
    if (goesOn) timer = setTimeout(loop, 1000);
  }

  $("login").addEventListener("submit", event => {
    event.preventDefault();
    token = $("token").value.trim();
    $("token").value = "";
    sessionStorage.setItem("token", token);
    tell("");
    loop();
  });
  document.addEventListener("visibilitychange", () => { if (!document.hidden && $("login").hidden) loop(); });
  loop();
})();
