/* A drill, as an engineer holds one: the cooling of a site fails; jars warm, one incident
 * appears, remaining life falls, and production hears nothing of it. When it is stopped,
 * nothing of it is left within five seconds. */
import {accessible, assert, go, login, open, shot, until} from './session.mjs';

const SITE = 'DC-CNX-01', JAR = `${SITE}-UPS-01-S1-J07`, GONE_MS = 5000, WARMER_K = 5, SETTLES = 4;
const PRODUCTION = [['#/', '.site'], [`#/sites/${SITE}`, 'tbody tr'], [`#/batteries/${JAR}`, '.headline'],
	['#/alerts?all=1', 'main tbody tr'], ['#/alerts?all=1&view=incidents', 'main tbody tr'], ['#/fleet', '.plot svg']];

/* What a page says, without ages, which go on by themselves, and what can be chosen. */
async function wordsOf(page, hash, wanted) {
	await go(page, hash, wanted);
	await until(page, () => !document.querySelector('main [role=status]'));
	return page.evaluate(() => {
		const main = document.querySelector('main').cloneNode(true);
		main.querySelectorAll('.age, select').forEach((e) => e.remove());
		return main.textContent;
	});
}

async function production(page) {
	const all = {};
	for (const [hash, wanted] of PRODUCTION) all[hash] = await wordsOf(page, hash, wanted);
	return all;
}

/* Production as it is 'before', or as it is when nothing more comes to it. */
async function settled(page, before = null) {
	let last = before ?? await production(page), now = null;
	for (let i = 0; i < SETTLES; i++) {
		now = await production(page);
		if (PRODUCTION.every(([hash]) => now[hash] === last[hash])) return now;
		last = before ?? now;
	}
	const [hash] = PRODUCTION.find(([h]) => now[h] !== last[h]);
	const at = [...now[hash]].findIndex((c, i) => c !== last[hash][i]);
	return assert.fail(`${hash} says '${now[hash].slice(at, at + 80)}', not '${last[hash].slice(at, at + 80)}'`);
}

async function begin(page) {
	await go(page, '#/simulator', 'main form select[name=speed]');
	await page.selectOption('main form select[name=scenario]', 'hvac_failure');
	await page.selectOption('main form select[name=speed]', '3600');
	await page.fill('main form [name="p.warmer_k"]', '12');
	await page.click('main form button.first');
	await page.click('main li >> text=Watch');
	await page.waitForSelector('.banner.simulation >> text=SIMULATION');
}

/* The jars of the site, the warmest first. */
const warmest = (page) => page.$eval('main tbody tr td:nth-child(4)', (e) => parseFloat(e.textContent));

async function warms(page, from) {
	await go(page, `#/sites/${SITE}?sort=temperature`, 'main tbody tr');
	await until(page, (least) => parseFloat(document.querySelector('main tbody tr td:nth-child(4)').textContent) > least, from + WARMER_K);
	await shot(page, 'drill-site');
}

async function oneIncident(page) {
	await go(page, '#/alerts?view=incidents', 'main tbody tr');
	await until(page, (s) => document.querySelector('main tbody').textContent.includes(s), SITE);
	await page.click('main tbody a[href*="incident="]');
	await page.waitForSelector('main dd:has-text("air conditioning")');
	const of = await page.$$eval('main tbody tr', (all) => all.filter((r) => /air cond|cooling|hvac/i.test(r.textContent)).length);
	assert.equal(of, 1, 'one incident, not hundreds of alerts');
	await shot(page, 'drill-incident');
}

/* The remaining life of a battery, in days: its words are in months or years. */
const lifeOf = (page) => page.$eval('.headline b', (e) => parseFloat(e.textContent) * ({m: 30.44, y: 365.25}[/(?<= )[my]/.exec(e.textContent)] ?? 1));

async function fails(page, before) {
	await go(page, `#/batteries/${JAR}`, '.headline b');
	const end = Date.now() + 120e3;
	while (await lifeOf(page) >= before && Date.now() < end) await page.waitForTimeout(500);
	assert.ok(await lifeOf(page) < before, `${await lifeOf(page)} days, as before`);
	await shot(page, 'drill-battery');
}

/* The overview of the drill: its one site, and nothing of the fleet. */
async function overview(page) {
	await go(page, '#/', '.site');
	await until(page, () => document.querySelectorAll('.site').length === 1);
	await accessible(page, 'a drill');
	await shot(page, 'drill-overview');
}

async function end(page, before) {
	await go(page, '#/simulator', 'main li');
	assert.equal(await page.textContent('main li .tag'), 'running');
	assert.equal((await page.textContent('main')).includes('⟨'), false, 'a key without words');
	await shot(page, 'drill-simulator');
	const from = Date.now();
	await page.click('main li >> text=Stop');
	await page.waitForSelector('.banner.simulation', {state: 'detached'});
	await page.waitForSelector('main >> text=No drill is running');
	const took = Date.now() - from;
	await settled(page, before);
	assert.ok(took < GONE_MS, `gone after ${took} ms`);
}

const s = await open();
s.page.setDefaultTimeout(90000);
await login(s.page, 'emil');
const before = await settled(s.page);
await begin(s.page);
await go(s.page, `#/sites/${SITE}?sort=temperature`, 'main tbody tr');
const cool = await warmest(s.page);
await go(s.page, `#/batteries/${JAR}`, '.headline b');
const life = await lifeOf(s.page);
await warms(s.page, cool);
await oneIncident(s.page);
await overview(s.page);
await fails(s.page, life);
await end(s.page, before);
await s.close();
