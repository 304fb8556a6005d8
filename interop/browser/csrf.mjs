// What another site can make a signed-in browser do: nothing.
//
// Cookies know no ports: 127.0.0.1 on another port is another origin of the *same site*, so the browser does send the
// cookies, and only the server's own rules stand in the way. `localhost` is another site.

import assert from "node:assert/strict";
import { signIn, startStranger, visit } from "./harness.mjs";

export async function crossSite(checks, browser, server) {
  const form = (fields, path) => `<!doctype html><title>stranger</title>
    <form method="post" action="${server.url}${path}">${fields}<button>go</button></form>`;
  const field = (name, value) => `<input type="hidden" name="${name}" value="${value}">`;
  const logout = await startStranger(form(field("app", "web"), "/v1/logout"));
  const login = await startStranger(form(
    field("app", "web") + field("username", "bob") + field("password", server.users.bob), "/v1/login"));

  const own = await ownLogin(server, "bob");
  const refresh = await startStranger(form(field("app", "web") + field("access_token", own), "/v1/refresh"));
  const garbage = await startStranger(form(field("app", "web") + field("refresh_token", "mrt_x"), "/v1/logout"));

  for (const [kind, host] of [["same site, other port", "127.0.0.1"], ["another site", "localhost"]]) {
    await checks.check(`a form of ${kind} cannot sign anybody out`, async () => {
      const { context, page } = await visit(browser, server.url, { javaScriptEnabled: false });
      await page.goto("/demo/web");
      await signIn(page, "alice", server.users.alice);
      await page.goto(`http://${host}:${logout.port}/`);
      const [response] = await Promise.all([page.waitForNavigation(), page.click("button")]);
      assert.equal(response.status(), 403);
      assert.equal((await context.cookies()).some((cookie) => cookie.name === "misario-web"), true, "the cookie stays");
      await page.goto("/demo/web");
      assert.equal(new URL(page.url()).pathname, "/demo/web", "still signed in");
      await context.close();
    });
    await checks.check(`a form of ${kind} cannot sign anybody in`, async () => {
      const { context, page } = await visit(browser, server.url, { javaScriptEnabled: false });
      await page.goto(`http://${host}:${login.port}/`);
      const [response] = await Promise.all([page.waitForNavigation(), page.click("button")]);
      assert.equal(response.status(), 403);
      assert.equal((await context.cookies()).some((cookie) => cookie.name === "misario-web"), false);
      await context.close();
    });
    await checks.check(`a form of ${kind} that shows a credential of its own changes no cookie`, async () => {
      const { context, page } = await visit(browser, server.url, { javaScriptEnabled: false });
      await page.goto("/demo/web");
      await signIn(page, "alice", server.users.alice);
      for (const stranger of [refresh, garbage]) {
        const before = (await context.cookies()).find((cookie) => cookie.name === "misario-web").value;
        await page.goto(`http://${host}:${stranger.port}/`);
        await Promise.all([page.waitForNavigation(), page.click("button")]);
        const after = (await context.cookies()).find((cookie) => cookie.name === "misario-web")?.value;
        assert.ok(after === before, "signed out, or signed in as somebody else");
      }
      await context.close();
    });
    await checks.check(`a script of ${kind} can neither act nor read`, async () => {
      const { context, page } = await visit(browser, server.url);
      await page.goto("/demo/web");
      await signIn(page, "alice", server.users.alice);
      await page.goto(`http://${host}:${logout.port}/`);
      const seen = await page.evaluate(async (url) => {
        await fetch(`${url}/v1/logout`, { method: "POST", mode: "no-cors", credentials: "include" }).catch(() => null);
        return fetch(`${url}/v1/me`, { credentials: "include" }).then((response) => response.text(), () => "blocked");
      }, server.url);
      assert.equal(seen, "blocked");
      await page.goto("/demo/web");
      assert.equal(new URL(page.url()).pathname, "/demo/web", "still signed in");
      await context.close();
    });
  }
  await checks.check("no other page may frame the sign-in page", async () => {
    const { context, page } = await visit(browser, server.url);
    const frame = await startStranger(`<!doctype html><iframe src="${server.url}/?app=web"></iframe>`);
    await page.goto(`http://127.0.0.1:${frame.port}/`);
    assert.equal(await page.frameLocator("iframe").locator("#username").count(), 0);
    await frame.stop();
    await context.close();
  });
  await Promise.all([logout, login, refresh, garbage].map((stranger) => stranger.stop()));
}

/// The access credential of a login that the attacker really has.
async function ownLogin(server, username) {
  const answer = await fetch(`${server.url}/v1/login`, {
    method: "POST",
    redirect: "manual",
    headers: { "Content-Type": "application/json", Origin: server.url },
    body: JSON.stringify({ app: "web", username, password: server.users[username], transport: "cookie" }),
  });
  const line = answer.headers.getSetCookie().find((cookie) => cookie.startsWith("misario-web="));
  assert.ok(line, `${answer.status}: no cookie`);
  return line.slice("misario-web=".length).split(";")[0];
}
