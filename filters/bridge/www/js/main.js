/* The page: who is there, which page is asked for, and the frame around it. */
import {html, render, useEffect} from './html.js';
import {resume, user} from './api.js';
import {t, useLanguage} from './i18n.js';
import {useStore} from './store.js';
import {Frame} from './frame.js';
import {Login} from './pages/login.js';
import './theme.js';
import './focus.js';

function App() {
	const who = useStore(user);
	useLanguage();
	useEffect(() => { resume(); }, []);
	if (who === undefined) return html`<p class="login muted" role="status">${t('loading')}</p>`;
	return who ? html`<${Frame} who=${who} />` : html`<${Login} />`;
}

render(html`<${App} />`, document.getElementById('page'));
