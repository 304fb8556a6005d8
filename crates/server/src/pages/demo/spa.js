"use strict";
// The access token is kept here and nowhere else: no storage, no cookie that a script could read.
let access = null;

const root = document.getElementById("spa");
const form = document.getElementById("sign-in");
const panel = document.getElementById("signed-in");
const problem = document.getElementById("problem");
const status = document.getElementById("status");

async function send(method, path, body) {
  const headers = { "Misario-App": root.dataset.app };
  if (access) headers.Authorization = `Bearer ${access}`;
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const text = await response.text();
  let data = {};
  try { data = text ? JSON.parse(text) : {}; } catch { /* not JSON: the status says enough */ }
  return { ok: response.ok, status: response.status, data };
}

// The one client rule: on token_expired or token_stale, refresh with what you hold and keep what comes back.
async function call(method, path) {
  const answer = await send(method, path);
  const renewable = ["token_expired", "token_stale"].includes(answer.data.code);
  if (answer.status !== 401 || !renewable || !(await refresh()).ok) return answer;
  return send(method, path);
}

async function refresh() {
  const answer = await send("POST", "/v1/refresh", {});
  if (answer.ok) access = answer.data.access_token;
  return answer;
}

function show(message) {
  problem.textContent = message;
  problem.hidden = !message;
}

function signedOut(message) {
  access = null;
  panel.hidden = true;
  form.hidden = false;
  form.elements.password.value = "";
  show(message);
  form.elements[form.elements.username.value ? "password" : "username"].focus();
}

async function showMe(note) {
  const answer = await call("GET", "/v1/me");
  // 503 is never a sign-out: the login may be as good as ever.
  if (answer.status === 503) return show("The server cannot tell at the moment. Try again soon.");
  if (!answer.ok) return signedOut("You are signed out.");
  const rows = Object.entries(answer.data).flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const entry = document.createElement("dd");
    term.textContent = name;
    entry.textContent = Array.isArray(value) ? value.join(", ") || "none" : String(value);
    return [term, entry];
  });
  document.getElementById("me").replaceChildren(...rows);
  form.hidden = true;
  panel.hidden = false;
  show("");
  status.textContent = note;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { username, password } = form.elements;
  const answer = await send("POST", "/v1/login", {
    app: root.dataset.app, username: username.value, password: password.value, transport: "split",
  });
  if (!answer.ok) {
    return signedOut(answer.status === 401 ? "The username or the password is wrong." : "Signing in is not possible at the moment. Try again soon.");
  }
  password.value = "";
  access = answer.data.access_token;
  await showMe(`Signed in. The access token lives for ${answer.data.expires_in} seconds.`);
  document.getElementById("refresh").focus();
});

document.getElementById("refresh").addEventListener("click", async () => {
  const before = access;
  const answer = await refresh();
  if (answer.ok) return showMe(access === before ? "Refreshed: the same access token." : "Refreshed: a fresh access token.");
  if (answer.status === 401) return signedOut("You are signed out.");
  show("The server cannot tell at the moment. Try again soon.");
});

document.getElementById("sign-out").addEventListener("click", async () => {
  const answer = await send("POST", "/v1/logout", {});
  if (answer.ok) return signedOut("");
  show("Signing out failed. Try again.");
});

// A page that was reloaded has no access token any more, but its cookie may still have a refresh token.
refresh().then((answer) => (answer.ok ? showMe("Still signed in: the cookie brought a fresh access token.") : signedOut("")));
