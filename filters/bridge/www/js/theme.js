/* Light or dark: the system's, unless the reader chose. */
import {keep, Store} from './store.js';

export const THEMES = ['system', 'light', 'dark'];
export const theme = new Store(keep.get('theme', 'system'));
const dark = matchMedia('(prefers-color-scheme: dark)');
/* What is in force now; charts draw anew when it changes. */
export const inForce = new Store('light');

function apply() {
	const now = theme.get() === 'system' ? (dark.matches ? 'dark' : 'light') : theme.get();
	document.documentElement.dataset.theme = now;
	inForce.set(now);
}

theme.watch((v) => {
	keep.set('theme', v);
	apply();
});
dark.addEventListener('change', apply);
apply();
