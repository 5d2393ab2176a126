// Watches the page's session: shows a banner when it has ended or the server cannot be reached, connects again after an
// interruption, opens the page anew when the session is gone, and ends the session when the page closes.
//
// For other scripts: `data-session` of the body is "offline", "lost", "incomplete", "slow" or empty, `data-connection` the
// state of the page's connection to its kernel, and `data-kernel-status` whether the kernel works on something; the events
// "catsdogs:session", "catsdogs:connection" and "catsdogs:kernelStatus" tell of changes.
"use strict";
(() => {
  const HEARTBEAT_PERIOD = 4000;
  const HEARTBEAT_TIMEOUT = 8000; // on a slow line, a photo may be on its way for some seconds
  const SUSPENDED = 20000; // without a heartbeat for so long, the device slept
  const PROBE_TIMEOUT = 10000;
  const SLOW_START = 45000; // from when everything has arrived until the widgets are there
  const LONGEST_LOADING = 300000; // at 3 kB/s, everything arrives in less than half of it; after it, a new try is faster
  const MIN_CLICK_INTERVAL = 3000;
  const MIN_REOPEN_INTERVAL = 60000;
  const LEAVING = 2000; // time between a click on a link and the end of the page
  const LONGEST_LEAVING = 30000; // time in which the next page arrives on a slow line
  const banner = document.getElementById("session-banner");
  const darkScheme = window.matchMedia("(prefers-color-scheme: dark)");
  const { kernel, prefix } = document.body.dataset;
  let complete = document.readyState === "complete" ? performance.now() : Infinity; // when everything had arrived
  let lost = false;
  let pending = false;
  let interrupted = false; // since the last heartbeat that was answered
  let lastHeartbeat = Date.now();
  let connection = null; // to the kernel; the front end makes it
  let received = 0; // bytes that had arrived at the server over the connection at the last heartbeat
  let leavesWithinTab = false;
  let leftAt = -Infinity; // when another page was asked for

  const setTheme = () => {
    document.body.dataset.jpThemeLight = String(!darkScheme.matches);
    document.body.dataset.jpThemeName = darkScheme.matches ? "JupyterLab Dark" : "JupyterLab Light";
  };
  darkScheme.addEventListener("change", setTheme);
  setTheme();

  /** Change a value that other scripts read, and tell them. */
  const publish = (name, value) => {
    if (document.body.dataset[name] === value) return;
    document.body.dataset[name] = value;
    document.dispatchEvent(new Event(`catsdogs:${name}`));
  };

  /** Show the banner with the text of a state of the session, or hide it (""). */
  const setState = (state) => {
    banner.hidden = !state;
    banner.querySelector("span").textContent = state ? banner.dataset[state] : "";
    publish("session", state);
  };

  /** Keep the connection to the kernel, and publish its state from now on. */
  document.addEventListener("catsdogs:kernel", ({ detail }) => {
    connection = detail;
    publish("connection", connection.connectionStatus);
    connection.connectionStatusChanged.connect((_, status) => publish("connection", status));
    connection.statusChanged.connect((_, status) => publish("kernelStatus", status));
  });

  /**
   * Return whether the connection is one not only in name: the other end may have closed it while this device slept.
   * A question to the kernel waits behind a photo that is being sent; meanwhile it counts that some of it arrives.
   */
  const isAlive = async () => {
    const reply = connection.requestKernelInfo().then(() => true, () => true);
    let before;
    do {
      before = received;
      const timeout = new Promise((resolve) => setTimeout(resolve, PROBE_TIMEOUT));
      if (await Promise.race([reply, timeout])) return true;
    } while (received > before);
    return connection.isDisposed;
  };

  /** Connect to the kernel again after an interruption; the server sends what the kernel said in the meantime. */
  const reconnect = async () => {
    if (connection.connectionStatus === "connected" && (await isAlive())) return;
    await connection.reconnect().catch(() => {}); // tried again with the next heartbeat
  };

  /** Open the page anew, where the tab keeps the visit: it goes on in a new session. The banner stays where that fails. */
  const reopen = () => {
    if (document.hidden || "notKept" in document.body.dataset) return; // later, when the person looks at it; or never
    if (Date.now() - leftAt < LONGEST_LEAVING) return; // another page comes, as after a sign-out, which ends the session
    try {
      const last = Number(sessionStorage.getItem("catsdogs-reopened"));
      if (Date.now() - last < MIN_REOPEN_INTERVAL) return;
      sessionStorage.setItem("catsdogs-reopened", Date.now());
    } catch {
      return; // the browser stores nothing
    }
    leavesWithinTab = true;
    location.reload();
  };

  /** Return what the page waits for: "incomplete" where a script did not arrive (see index.html.j2), "slow", or "". */
  const stateOfLoading = () => {
    if (!document.querySelector("#loading, #preload")) return "";
    if ("incomplete" in document.body.dataset) return "incomplete";
    return performance.now() > Math.min(complete + SLOW_START, LONGEST_LOADING) ? "slow" : "";
  };

  const checkSession = async () => {
    lastHeartbeat = Date.now();
    try {
      const signal = AbortSignal.timeout(HEARTBEAT_TIMEOUT);
      const response = await fetch(`${prefix}/session/${kernel}`, { cache: "no-store", signal });
      lost = response.status === 404 || Boolean(connection?.isDisposed);
      if (!lost && !response.ok) throw new Error(response.statusText); // 503: the kernel gateway is unavailable
      received = Number(response.headers.get("X-Received"));
    } catch {
      interrupted = true;
      setState("offline");
      return;
    }
    setState(lost ? "lost" : stateOfLoading());
    if (lost) reopen();
    else if (connection && (interrupted || connection.connectionStatus === "disconnected") && !document.hidden) {
      interrupted = false;
      reconnect();
    }
  };

  const sendHeartbeat = async () => {
    if (lost) return reopen();
    if (pending) return;
    pending = true;
    if (Date.now() - lastHeartbeat > SUSPENDED) interrupted = true;
    await checkSession();
    pending = false;
  };

  window.addEventListener("load", () => (complete = performance.now()));
  setInterval(() => lost || sendHeartbeat(), HEARTBEAT_PERIOD);
  document.addEventListener("click", () => Date.now() - lastHeartbeat > MIN_CLICK_INTERVAL && sendHeartbeat());
  window.addEventListener("online", sendHeartbeat);
  window.addEventListener("offline", () => {
    interrupted = true;
    setState("offline");
  });
  document.addEventListener("resume", sendHeartbeat);
  document.addEventListener("visibilitychange", () => document.hidden || sendHeartbeat());
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    leftAt = -Infinity; // the page is back
    sendHeartbeat();
  });

  // Where a link of this site opens in this tab, "back" brings the visit again: nothing is lost.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const inThisTab = link && !link.target && !(event.ctrlKey || event.shiftKey || event.metaKey || event.altKey);
    if (!inThisTab || link.origin !== location.origin || link.hasAttribute("download")) return;
    leavesWithinTab = true;
    setTimeout(() => (leavesWithinTab = false), LEAVING);
  });

  // Other sites may show this page in a frame, and no other page of ours: links open in a tab of their own.
  if (window !== window.top) {
    const openInTab = ({ target }) => {
      const link = target.closest?.("a[href]");
      if (link && link.pathname !== location.pathname) link.target = "_blank";
    };
    document.addEventListener("click", openInTab, true);
  }

  window.addEventListener("beforeunload", (event) => {
    leftAt = Date.now();
    const isKept = leavesWithinTab && !("notKept" in document.body.dataset); // by the tab (see visit_store.js)
    if (!isKept && document.querySelector("[data-unsaved]")) event.preventDefault();
  });
  window.addEventListener("pagehide", () => navigator.sendBeacon(`${prefix}/voila/api/shutdown/${kernel}`));
})();
