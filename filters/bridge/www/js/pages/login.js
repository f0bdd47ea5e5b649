/* The door. The address stays what it was, so that one comes out where one was going. */
import {login} from '../api.js';
import {LANGUAGES, language, t} from '../i18n.js';
import {messageOf} from '../ui.js';
import {html, useEffect, useRef, useState} from '../html.js';

function reason(e) {
	if (e.status === 401) return t('login.wrong');
	if (e.status === 429) return t('login.wait', {s: e.retryAfter});
	return messageOf(e);
}

export function Login() {
	const [error, setError] = useState(null), [busy, setBusy] = useState(false), name = useRef(null);
	useEffect(() => name.current.focus(), []);
	const submit = async (e) => {
		e.preventDefault();
		if (busy) return;
		const {username, password} = Object.fromEntries(new FormData(e.target));
		setBusy(true);
		setError(null);
		try {
			await login(username, password);
		} catch (problem) {
			setError(reason(problem));
			setBusy(false);
		}
	};
	return html`<main class="login"><form class="panel" onSubmit=${submit} aria-label=${t('login.title')}>
		<div class="brand"><img src="css/icon.svg" alt="" />floatline</div>
		<h1>${t('login.title')}</h1>
		<label>${t('login.name')}<input ref=${name} name="username" autocomplete="username" required
			autocapitalize="none" spellcheck=${false} /></label>
		<label>${t('login.password')}<input name="password" type="password" autocomplete="current-password" required /></label>
		${error && html`<div class="error" role="alert">${error}</div>`}
		<button class="first" aria-disabled=${busy}>${t('login.go')}</button>
		<label>${t('language')}<select value=${language.get()} onChange=${(e) => language.set(e.target.value)}>${
			Object.entries(LANGUAGES).map(([k, name]) => html`<option value=${k}>${name}</option>`)}</select></label>
	</form></main>`;
}
