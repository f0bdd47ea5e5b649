/*
 * Where the keyboard is. What has the focus may go: a button that is no longer needed, a
 * row that was deleted, a page that gave way to another. The focus then goes to what is
 * left around the place, so that whoever has no mouse goes on from there.
 */

/* What was focused last, and what it was in, from the inside out. */
let last = null, around = [];

function ancestors(element) {
	const all = [];
	for (let e = element.parentElement; e; e = e.parentElement) all.push(e);
	return all;
}

/* Focuses what is no thing to press; it is none again when the focus has gone on. */
export function focusPlace(element) {
	if (!element.hasAttribute('tabindex')) {
		element.setAttribute('tabindex', '-1');
		element.addEventListener('blur', () => element.removeAttribute('tabindex'), {once: true});
	}
	element.focus({preventScroll: true});
}

document.addEventListener('focusin', (e) => {
	last = e.target;
	around = ancestors(last);
});

new MutationObserver(() => {
	if (!last || last.isConnected || document.activeElement !== document.body) return;
	const main = document.querySelector('main');
	const place = around.find((e) => e.isConnected && main?.contains(e)) ?? main;
	last = null;
	if (place) focusPlace(place);
}).observe(document.getElementById('page'), {childList: true, subtree: true});
