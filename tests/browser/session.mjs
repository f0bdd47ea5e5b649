/* A browser for the tests of the page: opens it, logs in, and fails on what no test may
 * see: errors on the console, exceptions, findings of axe. */
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

const modules = process.env.BROWSER_MODULES;
const require = createRequire(`${modules}/`);
const {chromium} = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.SHOTS;
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
	'--disable-background-networking', '--disable-component-update', '--disable-sync', '--mute-audio'];
/* What a browser says by itself of an answer that the page expects and handles. */
const EXPECTED = /Failed to load resource|WebSocket connection to/;

export const base = process.argv[2];
export {assert};

export async function open({theme = 'light', locale = 'en-GB', width = 1280, height = 720, url = base} = {}) {
	const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: FLAGS});
	const context = await browser.newContext({viewport: {width, height}, colorScheme: theme, locale,
		timezoneId: 'Asia/Bangkok', bypassCSP: false});
	const page = await context.newPage();
	page.setDefaultTimeout(20000);
	const wrong = [];
	page.on('pageerror', (e) => wrong.push(e.stack ?? e.message));
	page.on('console', (m) => m.type() === 'error' && !EXPECTED.test(m.text()) && wrong.push(m.text()));
	await page.goto(url);
	return {browser, context, page, theme,
		/* Ends the browser; nothing may have gone wrong. */
		close: async () => {
			await browser.close();
			assert.deepEqual(wrong, []);
		}};
}

export async function login(page, name) {
	await page.fill('input[name=username]', name);
	await page.fill('input[name=password]', `${name} has a password`);
	await page.press('input[name=password]', 'Enter');
	await page.waitForSelector('nav.side');
}

/* To a page by its address, until it shows what it is for. */
export async function go(page, hash, wanted) {
	await page.evaluate((h) => { location.hash = h; }, hash);
	await page.waitForSelector(wanted);
}

/* Nothing serious for those who read by other means. */
export async function accessible(page, where) {
	/* axe is run beside the page, whose policy lets no other script in. */
	const client = await page.context().newCDPSession(page);
	const {executionContextId} = await client.send('Page.createIsolatedWorld',
		{frameId: (await client.send('Page.getFrameTree')).frameTree.frame.id});
	const run = async (expression) => {
		const {result, exceptionDetails} = await client.send('Runtime.evaluate',
			{expression, contextId: executionContextId, awaitPromise: true, returnByValue: true});
		assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
		return result.value;
	};
	await run(`${axe};0`);
	const found = await run(`axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations
		.filter((v) => ['serious', 'critical'].includes(v.impact))
		.map((v) => v.id + ': ' + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160) + ' ' + n.failureSummary).join(' | ')))`);
	assert.deepEqual(found, [], where);
}

export async function shot(page, name) {
	if (!shots) return;
	mkdirSync(shots, {recursive: true});
	await page.screenshot({path: join(shots, `${name}.png`), fullPage: true});
}

/* Polls until the page says so. */
export const until = (page, fn, arg) => page.waitForFunction(fn, arg, {timeout: 30000});
