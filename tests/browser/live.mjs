/* A running pipeline behind the page: what moves by itself, what one decides and others
 * see, what a lost connection keeps, and what a feed that stops looks like. kill.sh and
 * start.sh end the bridge and start it anew, stop.sh ends the feed. */
import {execFileSync} from 'node:child_process';
import {assert, base, go, login, open, shot, until} from './session.mjs';

const JAR = 'DC-CNX-01-REC-01-S1-J07', SITE = 'DC-CNX-01';
const command = (name) => execFileSync('bash', [`${name}.sh`], {stdio: ['ignore', 'ignore', 'inherit']});

/* Until the element says something else than it does now, and that 'times' over. */
async function moves(page, selector, times = 2) {
	for (let i = 0; i < times; i++) {
		const before = await page.textContent(selector);
		await until(page, ([s, text]) => document.querySelector(s) && document.querySelector(s).textContent !== text, [selector, before]);
	}
}

/* Overview, site and battery move without being loaded again. */
async function watched() {
	const s = await open();
	await login(s.page, 'vera');
	await s.page.evaluate(() => { window.never = 'loaded again'; });
	await s.page.waitForSelector('.site');
	await until(s.page, () => /V, warmest/.test(document.querySelector('.site').textContent));
	await moves(s.page, '.site .last');
	await go(s.page, `#/sites/${SITE}`, 'tbody td.number');
	await moves(s.page, 'tbody tr:first-child td.number');
	await go(s.page, `#/sites/${SITE}?view=strings`, '.jar');
	await moves(s.page, '.jars');
	await go(s.page, `#/batteries/${JAR}`, '.uplot canvas');
	await moves(s.page, '.value b');
	await s.page.click('details.data summary');
	await moves(s.page, 'details.data tbody tr:first-child', 1);
	assert.equal(await s.page.$('.value.stale'), null, 'nothing is stale');
	assert.equal(await s.page.evaluate(() => window.never), 'loaded again');
	await shot(s.page, 'battery-live');
	await s.close();
}

/* What one decides goes through the pipeline and back, and others see it as it is. */
async function decided() {
	const emil = await open(), vera = await open();
	await login(emil.page, 'emil');
	await login(vera.page, 'vera');
	await go(emil.page, '#/alerts', 'main tbody tr');
	await emil.page.click('main tbody tr:first-child a[href*="id="]');
	await emil.page.waitForSelector('text=Acknowledge');
	const chosen = await emil.page.evaluate(() => location.hash);
	await go(vera.page, chosen, 'main .pairs');
	await vera.page.waitForSelector('.link.live');
	await vera.page.evaluate(() => { window.never = 'loaded again'; });
	for (const [what, note, seen] of [['Acknowledge', 'I take it', 'I take it'], ['Resolve', 'strap renewed', 'resolved by emil']]) {
		await emil.page.click(`main button:has-text("${what}")`);
		await emil.page.fill('dialog input[name=note]', note);
		await emil.page.click('dialog .group button >> nth=1');
		await vera.page.waitForSelector(`main .pairs dd >> text=${seen}`);
	}
	await until(vera.page, (hash) => ![...document.querySelectorAll('tbody a')].some((a) => a.getAttribute('href') === hash), chosen);
	assert.equal(await vera.page.evaluate(() => window.never), 'loaded again');
	await emil.close();
	await vera.close();
}

/* The bridge dies: a banner says so, what one decides is kept, and sent when it is back. */
async function recovered() {
	const s = await open();
	await login(s.page, 'emil');
	await go(s.page, '#/alerts', 'main tbody tr');
	await s.page.click('main tbody tr:first-child a[href*="id="]');
	await s.page.waitForSelector('text=Acknowledge');
	await s.page.waitForSelector('.link.live');
	command('kill');
	await s.page.waitForSelector('.banner >> text=connection was lost');
	await shot(s.page, 'lost-light-1280');
	await s.page.click('button:has-text("Acknowledge")');
	await s.page.fill('dialog input[name=note]', 'seen while the bridge was away');
	await s.page.click('dialog button.first');
	await s.page.waitForSelector('.banner >> text=1 action waits');
	command('start');
	await s.page.waitForSelector('.link.live');
	await s.page.waitForSelector('.banner', {state: 'detached'});
	await s.page.waitForSelector('dd:has-text("seen while the bridge was away")');
	await go(s.page, '#/', '.site');
	await moves(s.page, '.site .last');
	/* The session outlives the bridge, and the page. */
	await s.page.reload();
	await s.page.waitForSelector('nav.side');
	await s.close();
}

/* The feed stops: after five minutes every value says that it is old. */
async function stopped() {
	const s = await open();
	await s.page.clock.install();
	await s.page.reload();
	await login(s.page, 'vera');
	await go(s.page, `#/batteries/${JAR}`, '.uplot canvas');
	await moves(s.page, '.value b', 1);
	command('stop');
	await s.page.clock.fastForward('06:00');
	await until(s.page, () => document.querySelectorAll('.value.stale').length >= 4);
	assert.match(await s.page.textContent('.value'), /⚠/);
	await shot(s.page, 'stale-light-1280');
	await go(s.page, '#/', '.title .age.stale');
	await s.close();
}

await watched();
await decided();
await recovered();
await stopped();
