/* Every role reads: log-in and refusal, from the fleet to a site to a battery's chart. */
import {accessible, assert, base, go, login, open, shot} from './session.mjs';

const SITE = 'DC-CNX-01', JAR = 'DC-CNX-01-UPS-01-S1-J07';
const PAGES = [['overview', '#/', '.site'], ['site', `#/sites/${SITE}`, 'tbody tr'],
	['strings', `#/sites/${SITE}?view=strings`, '.jar'], ['climate', `#/sites/${SITE}?view=weather`, '.panel .uplot'],
	['battery', `#/batteries/${JAR}`, '.uplot canvas'], ['alerts', '#/alerts', 'main table, main .muted'],
	['incidents', '#/alerts?view=incidents', 'main .panel'], ['fleet', '#/fleet', '.plot svg'], ['models', '#/models', 'main .panel']];
const OF_ROLE = {vera: ['overview', 'alerts', 'fleet', 'models'],
	emil: ['overview', 'alerts', 'fleet', 'simulator', 'models'],
	anna: ['overview', 'alerts', 'fleet', 'simulator', 'models', 'users']};

async function refusals(s) {
	await s.page.fill('input[name=username]', 'vera');
	await s.page.fill('input[name=password]', 'not her password');
	await s.page.click('button.first');
	assert.match(await s.page.textContent('.login [role=alert]'), /Wrong name or password/);
	await accessible(s.page, 'login');
	await shot(s.page, `login-${s.theme}`);
}

async function roles() {
	for (const [who, pages] of Object.entries(OF_ROLE)) {
		const s = await open({url: `${base}/#/users`});
		if (who === 'vera') await refusals(s);
		await login(s.page, who);
		const links = await s.page.$$eval('nav.side a', (all) => all.map((a) => a.getAttribute('href')));
		assert.deepEqual(links, pages.map((p) => `#/${p === 'overview' ? '' : p}`), who);
		/* One comes out where one was going, if one may. */
		await s.page.waitForSelector(who === 'anna' ? 'main table' : 'main [role=alert]');
		await s.close();
	}
}

/* Looks: at a desk, on a phone and on a wall, in both themes and languages. */
const DESK = [1280, 720], PHONE = [390, 844], WALL = [3840, 2160];
const LOOKS = [['light', 'en-GB', ...DESK], ['dark', 'th-TH', ...DESK], ['dark', 'en-GB', ...PHONE], ['light', 'th-TH', ...WALL]];
const OTHER_LOOKS = [['dark', 'en-GB', ...DESK], ['light', 'th-TH', ...DESK], ['light', 'th-TH', ...PHONE], ['dark', 'en-GB', ...WALL]];

async function everyPage(looks) {
	for (const [theme, locale, width, height] of looks) {
		const s = await open({theme, locale, width, height});
		await login(s.page, 'anna');
		for (const [name, hash, wanted] of [...PAGES, ['simulator', '#/simulator', 'main .panel'], ['users', '#/users', 'main table']]) {
			await go(s.page, hash, wanted);
			assert.equal((await s.page.textContent('main')).includes('⟨'), false, `${name}: a key without words`);
			const wide = await s.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			assert.ok(wide <= 0, `${name} is ${wide} px wider than ${width}`);
			if (width <= 1280) await accessible(s.page, `${name} ${theme} ${width}`);
			await shot(s.page, `${name}-${theme}-${width}-${locale.slice(0, 2)}`);
		}
		await s.close();
	}
}

/* A stranger's way: from the fleet to the site to the battery, its chart, and what stands beside. */
async function wayToAChart() {
	const s = await open();
	await login(s.page, 'vera');
	await s.page.click(`a.site[href="#/sites/${SITE}"]`);
	await s.page.fill('input[type=search]', JAR.slice(-12));
	await s.page.click(`table a[href="#/batteries/${JAR}"]`);
	await s.page.waitForSelector('.uplot canvas');
	assert.equal(await s.page.$('text=Record a replacement'), null, 'a viewer replaces nothing');
	const span = () => s.page.textContent('.tools .small');
	const before = await span();
	const over = await s.page.$('.chart .u-over');
	await over.scrollIntoViewIfNeeded();
	const box = await over.boundingBox();
	await s.page.mouse.move(box.x + box.width * 0.3, box.y + 40);
	await s.page.mouse.down();
	await s.page.mouse.move(box.x + box.width * 0.6, box.y + 40, {steps: 5});
	await s.page.mouse.up();
	await s.page.waitForSelector('text=Whole span');
	assert.notEqual(await span(), before);
	await s.page.click('text=Whole span');
	await s.page.selectOption('label:has-text("Beside it") select', JAR.replace('J07', 'J08'));
	await s.page.waitForSelector('.legend >> text=J08');
	await s.close();
}

/* What a stranger wants to know first: the battery that $FIRST names, when, and why. */
async function failsFirst() {
	const s = await open();
	await login(s.page, 'vera');
	const panel = await s.page.waitForSelector('a.panel.first');
	const said = await panel.$$eval('b', (all) => all.map((b) => b.textContent));
	assert.equal(said[0], process.env.FIRST);
	assert.match(said[1], /\d|due now/);
	assert.match(await panel.$eval('.cause', (c) => c.textContent), /health \d+(\.\d)? %; at 80 % a battery is replaced/);
	await panel.click();
	await s.page.waitForSelector(`h1:has-text("${process.env.FIRST}")`);
	await s.page.waitForSelector('.headline b');
	assert.equal(await s.page.textContent('.headline b'), said[1]);
	await s.close();
}

/* One battery has nothing left and is recharged: the least autonomy is that of others. */
async function leastAutonomy() {
	for (const [locale, says] of [['en-GB', /^least autonomy [1-9]\d* min, but for 1 being recharged$/],
		['th-TH', /^สำรองไฟน้อยสุด [1-9]\d* นาที ไม่รวม 1 ลูกที่กำลังประจุกลับ$/]]) {
		const s = await open({locale});
		await login(s.page, 'vera');
		assert.match(await s.page.textContent('.cards .card:last-child .small'), says);
		await s.close();
	}
}

const tests = {roles, wayToAChart, failsFirst, leastAutonomy, everyPage: () => everyPage(LOOKS), everyOtherPage: () => everyPage(OTHER_LOOKS)};
for (const name of process.argv.slice(3)) await tests[name]();
