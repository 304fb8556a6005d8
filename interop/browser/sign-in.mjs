// The sign-in page and a page behind it, without JavaScript.

import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signIn, visit } from "./harness.mjs";

const PAGE = "/demo/web";
const PLAIN = { javaScriptEnabled: false };

export async function signInPage(checks, browser, server) {
  const { context, page, complaints } = await visit(browser, server.url, PLAIN);
  await checks.check("a protected page sends a stranger to the sign-in page, and shows nothing", async () => {
    await page.goto(PAGE);
    const here = new URL(page.url());
    assert.deepEqual([here.pathname, here.searchParams.get("return_to")], ["/v1/login", PAGE]);
    assert.match(await page.title(), /^Sign in to web/);
    assert.equal(await page.getByText("A protected page").count(), 0);
  });
  await checks.check("the page is sent with the headers that protect it", async () => {
    const { headers, status } = await fetch(`${server.url}/?app=web`);
    assert.equal(status, 200);
    const policy = headers.get("content-security-policy") ?? "";
    for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]) {
      assert.ok(policy.includes(part), `${part} in ${policy}`);
    }
    assert.ok(!policy.includes("unsafe"), policy);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("cache-control") ?? "", /no-store/);
    assert.notEqual(headers.get("referrer-policy"), "no-referrer", "it makes browsers send Origin: null with forms");
    assert.match(headers.get("content-type") ?? "", /^text\/html; ?charset=utf-8$/i);
  });
  await checks.check("a wrong password is answered on the same page, tied to the fields", async () => {
    await signIn(page, "alice", "wrong password, quite surely");
    assert.match(await page.title(), /^Error: Sign in to web/);
    assert.equal(await page.locator("[role=alert]").innerText(), "The username or the password is wrong.");
    assert.equal(await page.locator("#password").getAttribute("aria-describedby"), "error");
    assert.equal(await page.locator("#username").inputValue(), "alice");
    assert.equal(await page.locator("#password").inputValue(), "", "a password is never sent back");
    assert.ok(!(await page.content()).includes("quite surely"));
  });
  await checks.check("an unknown user gets the very same answer", async () => {
    await signIn(page, "nobody-of-that-name", "wrong password, quite surely");
    assert.equal(await page.locator("[role=alert]").innerText(), "The username or the password is wrong.");
  });
  await checks.check("the right password leads to where the visitor wanted to go", async () => {
    await signIn(page, "alice", server.users.alice);
    assert.equal(new URL(page.url()).pathname, PAGE);
    await page.getByText("A protected page").waitFor();
    assert.equal(await page.getByText("alice").count() > 0, true);
  });
  await checks.check("the login travels in one protected cookie of the app's own", async () => {
    const cookies = (await context.cookies()).filter((cookie) => /misario-web/.test(cookie.name));
    assert.deepEqual(cookies.map((cookie) => cookie.name), ["misario-web"], "plain-HTTP loopback: no __Host- prefix");
    const [cookie] = cookies;
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path, cookie.domain], [true, "Lax", "/", "127.0.0.1"]);
    assert.ok(!(await page.content()).includes(cookie.value), "the credential is in no page");
    const longLived = cookies.every((entry) => entry.expires < Date.now() / 1000 + 400 * 86_400);
    assert.ok(longLived, "Max-Age of at most 400 days");
  });
  await checks.check("no credential-bearing page can be stored", async () => {
    const response = await page.reload();
    assert.match((await response.allHeaders())["cache-control"] ?? "", /private.*no-store|no-store.*private/);
  });
  await signOut(checks, context, page);
  await checks.check("no page broke its own policy", () => assert.deepEqual(complaints, []));
  await context.close();
}

async function signOut(checks, context, page) {
  const kept = (await context.cookies()).find((cookie) => cookie.name === "misario-web");
  await checks.check("signing out forgets the cookie and closes the page", async () => {
    await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Sign out" }).click()]);
    assert.equal((await context.cookies()).some((cookie) => cookie.name === "misario-web"), false);
    await page.goto(PAGE);
    assert.equal(new URL(page.url()).pathname, "/v1/login");
  });
  await checks.check("a cookie kept from before signing out opens nothing", async () => {
    await context.addCookies([kept]);
    await page.goto(PAGE);
    assert.equal(await page.getByText("A protected page").count(), 0);
    await context.clearCookies();
  });
}

/// A profile of its own, so that its history holds nothing but these pages.
export async function back(checks, browser, server) {
  const { context, page } = await visit(browser, server.url, PLAIN);
  await checks.check("going back after signing out shows nothing protected", async () => {
    await page.goto(PAGE);
    await signIn(page, "alice", server.users.alice);
    await page.getByText("A protected page").waitFor();
    await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Sign out" }).click()]);
    // A page that the browser kept fires no "load".
    await page.goBack({ waitUntil: "commit" });
    await page.getByRole("heading", { name: "Sign in to web" }).waitFor({ timeout: 5_000 });
    assert.equal(await page.getByText("A protected page").count(), 0, page.url());
  });
  await context.close();
}

export async function keyboard(checks, browser, server) {
  const { context, page } = await visit(browser, server.url, PLAIN);
  await checks.check("the keyboard alone signs in, and the focus is always visible", async () => {
    await page.goto(PAGE);
    assert.equal(await focused(page), "username", "the first field has the focus");
    await page.keyboard.type("alice");
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "password");
    assert.notEqual(await outline(page), "none");
    await page.keyboard.type(server.users.alice);
    await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
    assert.equal(new URL(page.url()).pathname, PAGE);
  });
  await checks.check("the keyboard alone signs out", async () => {
    await page.keyboard.press("Tab");
    assert.equal(await page.locator(":focus").innerText(), "Sign out");
    assert.notEqual(await outline(page), "none");
    await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
    await page.goto(PAGE);
    assert.equal(new URL(page.url()).pathname, "/v1/login");
  });
  await checks.check("the Tab key comes past everything and leaves again", async () => {
    const stops = await page.locator("a[href], button, input:not([type=hidden])").count();
    const seen = new Set();
    for (let step = 0; step < stops + 2; step += 1) {
      await page.keyboard.press("Tab");
      const text = await page.locator(":focus").count() ? await page.locator(":focus").evaluate((node) => node.outerHTML) : "none";
      seen.add(text);
    }
    assert.ok(seen.size >= stops, `${seen.size} of ${stops} reached`);
  });
  await context.close();
}

const focused = (page) => page.locator(":focus").getAttribute("id");
const outline = (page) => page.locator(":focus").evaluate((node) => getComputedStyle(node).outlineStyle);

export async function widths(checks, browser, server) {
  const folder = await mkdtemp(join(tmpdir(), "misario-screenshots-"));
  for (const width of [360, 1280]) {
    for (const colorScheme of ["light", "dark"]) {
      await checks.check(`every page fits ${width} px, ${colorScheme}`, async () => {
        const options = { ...PLAIN, viewport: { width, height: 720 }, colorScheme };
        const { context, page } = await visit(browser, server.url, options);
        const look = async (name) => {
          await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
          const { wide, styled } = await page.locator("html").evaluate((html) => ({
            wide: html.scrollWidth > html.clientWidth,
            styled: getComputedStyle(html.querySelector(".card")).borderRadius !== "0px",
          }));
          assert.ok(!wide, `${name} scrolls sideways`);
          assert.ok(styled, `${name} has its style sheet`);
        };
        await page.goto(PAGE);
        await look("sign-in");
        await signIn(page, "alice", "wrong password, quite surely");
        await look("refused");
        await signIn(page, "alice", server.users.alice);
        await look("web");
        await page.goto("/?app=web");
        await look("account");
        await page.goto("/demo/service");
        await look("service");
        await page.goto("/no-such-page", { waitUntil: "load" });
        await context.close();
      });
    }
  }
  console.log(`        screenshots: ${folder}`);
}

export async function redirects(checks, browser, server) {
  await checks.check("no return_to leads away from this origin", async () => {
    const hostile = [
      "//stranger.example", "/\\stranger.example", "https:stranger.example", "https://stranger.example",
      "javascript:alert(1)", "/\t/stranger.example", "/%2Fstranger.example", "/%5Cstranger.example",
    ];
    for (const target of hostile) {
      const { context, page } = await visit(browser, server.url, PLAIN);
      await page.goto(`/?app=web&return_to=${encodeURIComponent(target)}`);
      await signIn(page, "bob", server.users.bob);
      assert.equal(new URL(page.url()).origin, server.url, target);
      assert.equal(new URL(page.url()).pathname, "/v1/login", target);
      await context.close();
    }
  });
}
