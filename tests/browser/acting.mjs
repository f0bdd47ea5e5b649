/* What engineers and admins do: deal with an alert and an incident, keep accounts. */
import {assert, go, login, open, until} from './session.mjs';

const dialog = (page) => page.locator('dialog[open]');

/* Presses the dialog's last button and waits until it has gone. */
async function finish(page) {
	await dialog(page).locator('.group button').last().click();
	await dialog(page).waitFor({state: 'detached'});
}

async function alerts() {
	const viewer = await open();
	await login(viewer.page, 'vera');
	await go(viewer.page, '#/alerts', 'tbody tr');
	await viewer.page.click('tbody tr td:nth-child(3) a');
	await viewer.page.waitForSelector('main .pairs');
	assert.equal(await viewer.page.getByRole('button', {name: 'Acknowledge'}).count(), 0);
	await viewer.close();

	const {page, close} = await open();
	await login(page, 'emil');
	await go(page, '#/alerts', 'tbody tr');
	await page.click('tbody tr td:nth-child(3) a');
	const message = await page.locator('main .panel p').first().textContent();
	await page.getByRole('button', {name: 'Acknowledge'}).click();
	await page.fill('dialog[open] input[name=note]', 'on my way');
	await finish(page);
	await page.waitForSelector('main .pairs >> text=on my way');
	await page.waitForSelector('tr.selected >> text=✓ emil');
	await page.getByRole('button', {name: 'Shelve'}).click();
	await page.selectOption('dialog[open] select[name=hours]', '8');
	await page.fill('dialog[open] input[name=reason]', 'part is ordered');
	await finish(page);
	await page.waitForSelector('main .pairs >> text=shelved until');
	await page.getByRole('button', {name: 'Resolve'}).click();
	await finish(page);
	await page.waitForSelector('main .pairs >> text=resolved by emil');
	/* What is over is no longer in the list of what is open. */
	await until(page, (m) => ![...document.querySelectorAll('tbody tr')].some((r) => m.includes(r.cells[2].textContent)
		&& m.includes(r.cells[1].textContent)), message);
	await close();
}

async function incidents() {
	const {page, close} = await open();
	await login(page, 'emil');
	await go(page, '#/alerts?view=incidents&all=1', 'tbody tr');
	await page.click('text=air conditioning failed');
	await page.getByRole('button', {name: 'Cause', exact: true}).click();
	await page.fill('dialog[open] input[name=root_cause]', 'a fuse');
	await finish(page);
	await page.waitForSelector('main .pairs >> text=a fuse');
	await page.locator('main .group').getByRole('button', {name: 'Close the incident'}).click();
	await page.fill('dialog[open] input[name=note]', 'renewed');
	await finish(page);
	await page.waitForSelector('main .pairs >> text=renewed');
	await close();
}

async function users() {
	const {page, close, browser} = await open();
	await login(page, 'anna');
	await go(page, '#/users', 'tbody tr');
	await page.getByRole('button', {name: 'Add a user'}).click();
	await page.fill('dialog[open] input[name=username]', 'nok');
	await page.fill('dialog[open] input[name=password]', 'short');
	await page.fill('dialog[open] input[name=password]', 'password123');
	await dialog(page).locator('.group button').last().click();
	await page.waitForSelector('dialog[open] [role=alert] >> text=commonest');
	await page.fill('dialog[open] input[name=password]', 'nok has a password');
	await finish(page);
	const row = page.locator('tbody tr', {hasText: 'nok'});
	await row.waitFor();
	assert.match(await row.textContent(), /viewer/);
	await row.getByRole('button', {name: 'Edit'}).click();
	await page.selectOption('dialog[open] select[name=role]', 'engineer');
	await finish(page);
	await until(page, () => /engineer/.test([...document.querySelectorAll('tbody tr')].find((r) => r.textContent.includes('nok')).textContent));

	/* Disabled, she is out at once. */
	const other = await browser.newContext({locale: 'en-GB'});
	const hers = await other.newPage();
	await hers.goto(page.url().split('#')[0]);
	await login(hers, 'nok');
	await row.getByRole('checkbox').click();
	await page.waitForSelector('.toast >> text=Saved');
	await hers.evaluate(() => { location.hash = '#/alerts'; });
	await hers.waitForSelector('input[name=password]');

	await row.getByRole('button', {name: 'Delete'}).click();
	await finish(page);
	await row.waitFor({state: 'detached'});
	/* Not oneself. */
	assert.equal(await page.locator('tbody tr', {hasText: 'anna'}).getByRole('button', {name: 'Delete'}).isDisabled(), true);
	await close();
}

const tests = {alerts, incidents, users};
for (const name of process.argv.slice(3)) await tests[name]();
