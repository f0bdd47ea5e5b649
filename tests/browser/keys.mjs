/*
 * The page by keyboard alone, from the log-in to the log-out: Tab, Enter, Space, arrows,
 * Escape and typing, never the mouse. At each step one sees where one is; nothing keeps
 * the focus that should let it go, and nothing loses it.
 */
import {assert, open, until} from './session.mjs';

const SITE = 'DC-CNX-01', STEPS = 400;

/* Where the focus is. shown: there is a mark of it, not under the header and not outside
 * the window; wanted: it is the element that is looked for, in a row with these words. */
const focus = (page, css = '*', words = '') => page.evaluate(([selector, text]) => {
	const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
	const header = document.querySelector('.head')?.getBoundingClientRect();
	const below = header && !e.closest('.head, .side, dialog, .skip, .toasts') ? header.bottom : 0;
	const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
	const of = e.closest('tbody tr, li') ?? e;
	return {lost: e === document.body, inDialog: !!e.closest('dialog'),
		shown: (ring || /inset/.test(style.boxShadow)) && box.bottom > below && box.top < innerHeight && box.right > 0,
		wanted: e.matches(selector) && `${e.ariaLabel ?? ''} ${e.textContent} ${of.textContent}`.includes(text),
		what: `${e.outerHTML.slice(0, 120)} at ${Math.round(box.top)} to ${Math.round(box.bottom)} px`};
}, [css, words]);

/* The focus is on that element, and one sees it. */
async function isAt(page, css, words) {
	await until(page, (s) => document.activeElement.matches(s), css);
	const f = await focus(page, css, words);
	assert.ok(f.wanted, `not at ${css} ${words ?? ''} but ${f.what}`);
	assert.ok(f.shown, `one does not see that one is at ${f.what}`);
}

/* Tab, or Shift+Tab, until one is there; every stop on the way is seen. */
async function tabTo(page, css, words, key = 'Tab') {
	let lost = 0;
	for (let i = 0; i < STEPS; i++) {
		await page.keyboard.press(key);
		const f = await focus(page, css, words);
		lost = f.lost ? lost + 1 : 0;
		assert.ok(lost < 3, `the focus is lost on the way to ${css} ${words ?? ''}`);
		assert.ok(f.lost || f.shown, `one does not see that one is at ${f.what}`);
		if (f.wanted) return;
	}
	assert.fail(`no way by ${key} to ${css} ${words ?? ''}`);
}

const back = (page, css, words) => tabTo(page, css, words, 'Shift+Tab');
const press = (page, key = 'Enter') => page.keyboard.press(key);

/* By Tab through all of the page and out of its end: nothing is a trap. */
async function around(page) {
	for (let i = 0; i < STEPS; i++) {
		await page.keyboard.press('Tab');
		if ((await focus(page)).lost) return;
	}
	assert.fail('one does not come to the end of the page');
}

/* To a page by the sidebar; one is then at its beginning. */
async function visit(page, hash, wanted) {
	await back(page, `nav.side a[href="${hash}"]`);
	await press(page);
	await page.waitForSelector(wanted);
	await isAt(page, 'main');
}

async function comesIn(page) {
	await isAt(page, 'input[name=username]');
	await page.keyboard.type('anna');
	await press(page, 'Tab');
	await page.keyboard.type('not her password');
	await press(page);
	await page.waitForSelector('.login [role=alert]');
	await isAt(page, 'input[name=password]');
	await press(page, 'Control+a');
	await page.keyboard.type('anna has a password');
	await press(page);
	await page.waitForSelector('.site');
	await isAt(page, 'main');
	await back(page, '.skip');
	await press(page);
	await isAt(page, 'main');
}

async function toABattery(page) {
	await tabTo(page, `a.site[href="#/sites/${SITE}"]`);
	await press(page);
	await page.waitForSelector('tbody tr');
	await isAt(page, 'main');
	await tabTo(page, 'input[type=search]');
	await page.keyboard.type('J07');
	await until(page, () => [...document.querySelectorAll('tbody tr')].every((r) => /J07/.test(r.textContent)));
	await tabTo(page, '.group button', 'with alerts');
	await press(page, 'Space');
	await page.waitForSelector('button[aria-pressed=true] >> text=with alerts');
	await isAt(page, '.group button', 'with alerts');
	await back(page, '.group button', 'all');
	await press(page);
	await tabTo(page, 'th button', 'Temperature');
	await press(page);
	await page.waitForSelector('th[aria-sort=descending] >> text=Temperature');
	await isAt(page, 'th button', 'Temperature');
	await tabTo(page, 'tbody a');
	await press(page);
	await page.waitForSelector('.uplot canvas');
	await isAt(page, 'main');
}

async function readsAChart(page) {
	await around(page);
	await tabTo(page, '.group button', '7 days');
	await press(page);
	await page.waitForSelector('button[aria-pressed=true] >> text=7 days');
	await isAt(page, '.group button', '7 days');
	await tabTo(page, '.chart');
	await press(page, 'ArrowLeft');
	await until(page, () => /V/.test(document.querySelector('.readout').textContent));
	const read = await page.textContent('.readout');
	await press(page, 'ArrowLeft');
	await until(page, (before) => document.querySelector('.readout').textContent !== before, read);
	await press(page, '+');
	await page.waitForSelector('text=Whole span');
	await press(page, 'Shift+ArrowLeft');
	await press(page, '0');
	await page.waitForSelector('text=Whole span', {state: 'detached'});
	await isAt(page, '.chart');
	await press(page, 'Tab');
	await isAt(page, 'details.data summary');
	await press(page);
	await page.waitForSelector('details.data tbody tr');
}

/* A dialog: the focus is in it and stays there, until it is closed. */
async function dialog(page, first) {
	await isAt(page, `dialog[open] ${first}`);
	for (let i = 0; i < 12; i++) {
		await press(page, 'Tab');
		const f = await focus(page);
		assert.ok(f.lost || f.inDialog, `left the dialog for ${f.what}`);
	}
	await tabTo(page, `dialog[open] ${first}`);
}

const closed = (page) => page.waitForSelector('dialog', {state: 'detached'});
/* What was pressed may be there no more: then one is where it was. */
const inMain = (page) => isAt(page, 'main, main *');

async function dealsWithAnAlert(page) {
	await visit(page, '#/alerts', 'tbody tr');
	await tabTo(page, 'tbody a[href*="id="]');
	await press(page);
	await page.waitForSelector('text=Acknowledge');
	await isAt(page, 'main section.panel', 'Acknowledge');
	await tabTo(page, 'main button', 'Shelve');
	await press(page);
	await dialog(page, 'select');
	await press(page, 'Escape');
	await closed(page);
	await isAt(page, 'main button', 'Shelve');
	await back(page, 'main button', 'Acknowledge');
	await press(page);
	await dialog(page, 'input[name=note]');
	await page.keyboard.type('on my way, by keyboard');
	await press(page);
	await closed(page);
	await page.waitForSelector('main .pairs >> text=on my way, by keyboard');
	await inMain(page);
	await tabTo(page, 'main button', 'Resolve');
	await press(page);
	await isAt(page, 'dialog[open] input[name=note]');
	await press(page);
	await closed(page);
	await page.waitForSelector('main .pairs >> text=resolved by anna');
	await inMain(page);
	await press(page, 'Escape');
	await page.waitForSelector('main .pairs', {state: 'detached'});
	await inMain(page);
	/* One that stays: closed, one is at the link it was opened by. */
	await tabTo(page, 'tbody a[href*="id="]');
	const link = await page.evaluate(() => document.activeElement.getAttribute('href'));
	await press(page);
	await isAt(page, 'main section.panel');
	await tabTo(page, 'main button', 'Close');
	await press(page);
	await isAt(page, `tbody a[href="${link}"]`);
}

async function holdsADrill(page) {
	await visit(page, '#/simulator', 'main form select');
	await tabTo(page, 'select[name=scenario]');
	await page.keyboard.type('air conditioning fails');
	await until(page, () => document.activeElement.value === 'hvac_failure');
	await tabTo(page, 'select[name=speed]');
	await press(page, 'ArrowDown');
	await tabTo(page, 'main form button', 'Start');
	await press(page);
	await page.waitForSelector('main li >> text=Watch');
	await isAt(page, 'main form button', 'Start');
	await tabTo(page, 'main li button', 'Watch');
	await press(page);
	await page.waitForSelector('.banner.simulation');
	await isAt(page, 'main');
	await tabTo(page, 'main li button', 'Stop');
	await press(page);
	await page.waitForSelector('.banner.simulation', {state: 'detached'});
	await isAt(page, 'main');
}

async function keepsAccounts(page) {
	await visit(page, '#/users', 'tbody tr');
	await tabTo(page, 'main button', 'Add a user');
	await press(page);
	await dialog(page, 'input[name=username]');
	await page.keyboard.type('kee');
	await tabTo(page, 'dialog select[name=role]');
	await press(page, 'ArrowDown');
	await tabTo(page, 'dialog input[name=password]');
	await page.keyboard.type('kee has a password');
	await press(page);
	await closed(page);
	await isAt(page, 'main button', 'Add a user');
	await page.waitForSelector('tbody tr >> text=kee');
	await tabTo(page, 'tbody input[type=checkbox]', 'kee may come in');
	await press(page, 'Space');
	await page.waitForSelector('.toast >> text=Saved');
	await isAt(page, 'tbody input[type=checkbox]:not(:checked)', 'kee may come in');
	await tabTo(page, 'tbody button.danger', 'kee');
	await press(page);
	await dialog(page, 'button');
	await tabTo(page, 'dialog button.danger');
	await press(page);
	await closed(page);
	await until(page, () => !/kee may/.test(document.querySelector('tbody').textContent));
	await inMain(page);
}

async function choosesAndLeaves(page) {
	await back(page, '.menu > button');
	await press(page);
	await tabTo(page, '.menu div button', 'Look');
	await press(page);
	await press(page);
	await page.waitForSelector('html[data-theme=dark]');
	await isAt(page, '.menu div button', 'Look: dark');
	await tabTo(page, '.menu div button[lang=th]');
	await press(page);
	await page.waitForSelector('html[lang=th]');
	await isAt(page, '.menu div button[lang=en]');
	await press(page, 'Escape');
	await isAt(page, '.menu > button');
	await press(page);
	await press(page, 'Tab');
	await back(page, '.menu > button');
	await back(page, '.skip'); /* whoever goes on leaves the menu behind */
	assert.equal(await page.$('.menu > div'), null);
	await tabTo(page, '.menu > button');
	await press(page);
	await tabTo(page, '.menu div button', 'ออกจากระบบ');
	await press(page);
	await page.waitForSelector('input[name=password]');
	await isAt(page, 'input[name=username]');
}

const s = await open();
for (const part of [comesIn, toABattery, readsAChart, dealsWithAnAlert, holdsADrill, keepsAccounts, choosesAndLeaves])
	await part(s.page);
await s.close();
