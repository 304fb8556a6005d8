// The single-page app: access token in memory, refresh token in a cookie that no script can read.

import assert from "node:assert/strict";
import { visit } from "./harness.mjs";

export async function singlePageApp(checks, browser, server) {
  const { context, page, complaints } = await visit(browser, server.url);
  const cell = (name) => page.locator(`#me dt:text-is("${name}") + dd`).innerText();
  const note = (pattern) => page.locator("#status", { hasText: pattern }).waitFor();
  const enter = async (password) => {
    await page.fill("#username", "alice");
    await page.fill("#password", password);
    await page.click("#sign-in button");
  };

  await checks.check("the app asks to sign in when it has nothing", async () => {
    await page.goto("/demo/spa");
    await page.locator("#sign-in").waitFor();
    assert.equal(await page.locator("#signed-in").isVisible(), false);
  });
  await checks.check("a wrong password is said, and nothing is kept", async () => {
    await enter("wrong password, quite surely");
    await page.locator("#problem", { hasText: "wrong" }).waitFor();
    assert.equal((await context.cookies()).some((cookie) => /-refresh$/.test(cookie.name)), false);
  });
  await checks.check("signing in with fetch shows who is signed in", async () => {
    await enter(server.users.alice);
    await page.locator("#signed-in").waitFor();
    assert.deepEqual([await cell("app"), await cell("transport"), await cell("mode")], ["spa", "split", "hybrid"]);
  });
  await checks.check("the refresh token is in an HttpOnly cookie, the access token in none", async () => {
    const cookies = (await context.cookies()).filter((cookie) => cookie.name.startsWith("misario-spa"));
    assert.deepEqual(cookies.map((cookie) => cookie.name), ["misario-spa-refresh"]);
    assert.deepEqual([cookies[0].httpOnly, cookies[0].sameSite], [true, "Lax"]);
    const reachable = await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]);
    assert.deepEqual([reachable[0].includes("misario"), reachable[1], reachable[2]], [false, 0, 0]);
  });
  await checks.check("a refresh brings a fresh access token and keeps the login", async () => {
    const sid = await cell("sid");
    await page.click("#refresh");
    await note("a fresh access token");
    assert.equal(await cell("sid"), sid);
  });
  await checks.check("a reload keeps the login", async () => {
    const sid = await cell("sid");
    await page.reload();
    await note("Still signed in");
    assert.equal(await cell("sid"), sid);
  });
  await checks.check("two tabs that refresh at once stay signed in", async () => {
    const sibling = await context.newPage();
    await sibling.goto("/demo/spa");
    await sibling.locator("#signed-in").waitFor();
    await Promise.all([page, sibling, page, sibling].map((tab) => tab.click("#refresh")));
    for (const tab of [page, sibling]) {
      await tab.locator("#status", { hasText: "Refreshed" }).waitFor();
      assert.equal(await tab.locator("#signed-in").isVisible(), true);
    }
    await sibling.close();
  });
  await checks.check("signing out ends the login in the page and at the server", async () => {
    const kept = (await context.cookies()).find((cookie) => cookie.name === "misario-spa-refresh");
    await page.click("#sign-out");
    await page.locator("#sign-in").waitFor();
    assert.equal((await context.cookies()).some((cookie) => cookie.name === kept.name), false);
    await context.addCookies([kept]);
    await page.reload();
    await page.locator("#sign-in").waitFor();
  });
  await checks.check("the page kept to its policy: no script but its own", () => assert.deepEqual(complaints, []));
  await checks.check("an injected script does not run", async () => {
    const ran = await page.evaluate(() => new Promise((resolve) => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
      resolve(window.injected === true);
    }));
    assert.equal(ran, false);
  });
  await context.close();
}
