// The parts that every scenario shares: a server of its own, a browser, and a list of what held and what did not.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const PATIENCE = 30_000;

/// The outcome of all checks. A check that throws has failed; the others go on.
export class Checks {
  passed = 0;
  failed = 0;

  /// Runs `body` and says how it ended.
  async check(name, body) {
    const start = performance.now();
    try {
      await body();
      this.passed += 1;
      console.log(`ok      ${name} (${Math.round(performance.now() - start)} ms)`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED  ${name}\n        ${String(error.stack ?? error).replaceAll("\n", "\n        ")}`);
    }
  }
}

/// A server in a folder of its own. `url`, `users` (password by name) and `apps` are what `misario dev --json` prints.
export async function startServer() {
  const data = await mkdtemp(join(tmpdir(), "misario-browser-"));
  const binary = process.env.MISARIO_BIN ?? fileURLToPath(new URL("../../target/debug/misario", import.meta.url));
  const server = spawn(binary, ["dev", "--listen", "127.0.0.1:0", "--data", data, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  server.stderr.on("data", (chunk) => { log = (log + chunk).slice(-4_000); });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const stop = async () => {
    server.kill("SIGTERM");
    await ended;
    await rm(data, { recursive: true, force: true });
  };
  try {
    const ready = JSON.parse(await firstLine(server, ended, () => log));
    const users = Object.fromEntries(ready.users.map((user) => [user.username, user.password]));
    return { url: (ready.url ?? ready.base_url).replace(/\/$/, ""), apps: ready.apps, users, stop, log: () => log };
  } catch (error) {
    await stop();
    throw error;
  }
}

function firstLine(server, ended, log) {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`no line from the server:\n${log()}`)), PATIENCE);
    createInterface({ input: server.stdout }).once("line", (line) => { clearTimeout(deadline); resolve(line); });
    server.once("error", reject);
    ended.then((code) => reject(new Error(`the server ended with ${code}:\n${log()}`)));
  });
}

/// Another site on this machine, with one page.
export async function startStranger(html) {
  const stranger = createServer((_, response) => {
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(html);
  });
  await new Promise((resolve) => stranger.listen(0, "127.0.0.1", resolve));
  const { port } = stranger.address();
  return { port, stop: () => new Promise((resolve) => stranger.close(resolve)) };
}

/// Headless Chromium.
export function startBrowser() {
  const known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const executablePath = process.env.CHROMIUM ?? known.find((path) => existsSync(path)) ?? known[0];
  return chromium.launch({
    executablePath,
    // Playwright turns the cache for "back" off; a page that is shown from there is what a test is about.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
      "--disable-sync", "--no-first-run", "--no-default-browser-check",
    ],
  });
}

/// A fresh profile with one page; `complaints` collects what the page's console and policy say.
export async function visit(browser, url, options = {}) {
  const context = await browser.newContext({ baseURL: url, ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !/the server responded with a status of/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return { context, page, complaints };
}

/// Signs in on the sign-in page that `page` shows.
export async function signIn(page, username, password) {
  await page.fill("#username", username);
  await page.fill("#password", password);
  await Promise.all([page.waitForEvent("load"), page.click("button[type=submit]")]);
}
