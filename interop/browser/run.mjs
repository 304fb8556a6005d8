// Drives a real browser through the built server: the sign-in page, the demo apps, and what strangers may not do.
//
// MISARIO_BIN: the binary (default: target/debug/misario). CHROMIUM: the browser (default: /usr/bin/chromium).

import { Checks, startBrowser, startServer } from "./harness.mjs";
import { crossSite } from "./csrf.mjs";
import { back, keyboard, redirects, signInPage, widths } from "./sign-in.mjs";
import { singlePageApp } from "./spa.mjs";

const checks = new Checks();
const server = await startServer();
try {
  const browser = await startBrowser();
  for (const scenario of [signInPage, back, keyboard, widths, redirects, singlePageApp, crossSite]) {
    // One that cannot even begin is a failure, and no reason to leave the others out.
    await scenario(checks, browser, server).catch((error) => checks.check(scenario.name, () => { throw error; }));
  }
  await browser.close();
} finally {
  await server.stop();
}
if (checks.failed > 0) console.log(server.log());
console.log(`${checks.passed} passed, ${checks.failed} failed`);
process.exitCode = checks.failed > 0 ? 1 : 0;
