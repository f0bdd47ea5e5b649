/* How long a browser takes from nothing, without its cache, to a view that one can read:
 * prints 'what|milliseconds', the middle one of five. */
import {login, open} from '../browser/session.mjs';

const SITE = 'DC-CNX-01', TIMES = 5;
/* What makes a view whole: the last of what it is for, not a frame with 'Loading'. */
const VIEWS = [['the overview', '#/', 'main:has(.site .last):has(.list .what)'],
	['a site of 216 batteries, 50 on view', `#/sites/${SITE}`, 'tbody tr:nth-child(50)'],
	['its strings, jar by jar', `#/sites/${SITE}?view=strings`, '.jar:nth-child(24)'],
	['a battery and its charts', `#/batteries/${SITE}-UPS-01-S1-J07`, '.uplot canvas']];

const s = await open();
await login(s.page, 'bench');
const client = await s.context.newCDPSession(s.page);
await client.send('Network.setCacheDisabled', {cacheDisabled: true});
for (const [what, hash, wanted] of VIEWS) {
	const took = [];
	await s.page.evaluate((h) => { location.hash = h; }, hash);
	for (let i = 0; i < TIMES; i++) {
		const from = Date.now();
		await s.page.reload({waitUntil: 'commit'});
		await s.page.waitForSelector(wanted);
		took.push(Date.now() - from);
	}
	console.log(`${what}|${took.sort((a, b) => a - b)[TIMES >> 1]}`);
}
await s.close();
