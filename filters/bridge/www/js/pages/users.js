/* Accounts: who may come in, and what they may do. */
import {call, user} from '../api.js';
import {dateTime, t} from '../i18n.js';
import {useLoad} from '../load.js';
import {Dialog, Loaded, messageOf, Panel, Table, toast} from '../ui.js';
import {html, useState} from '../html.js';

const ROLES = ['viewer', 'engineer', 'admin'];

function Form({u, onDone, onClose}) {
	const save = async ({password, ...v}) => {
		const body = {...v, ...(password && {password})};
		if (u) delete body.username;
		await call(u ? 'PATCH' : 'POST', u ? `/auth/users/${u.id}` : '/auth/users', body);
		toast(t('users.saved'));
		onDone();
	};
	return html`<${Dialog} title=${t(u ? 'users.edit' : 'users.add')} done=${t('save')} onDone=${save} onClose=${onClose}>
		<label>${t('login.name')}<input name="username" required disabled=${!!u} defaultValue=${u?.username} autocapitalize="none" /></label>
		<label>${t('users.full_name')}<input name="full_name" defaultValue=${u?.full_name ?? ''} /></label>
		<label>${t('users.email')}<input name="email" type="email" defaultValue=${u?.email ?? ''} /></label>
		<label>${t('users.role')}<select name="role">${ROLES.map((r) => html`<option key=${r} value=${r} selected=${r === (u?.role ?? 'viewer')}>${t(`role.${r}`)}</option>`)}</select></label>
		<label>${t('users.sites')}<input name="sites" defaultValue=${u?.sites ?? ''} placeholder=${t('users.all_sites')} /></label>
		<label>${t(u ? 'password.new' : 'login.password')}<input name="password" type="password" minlength="8" required=${!u} autocomplete="new-password" /></label><//>`;
}

function Active({u, onDone}) {
	const set = async (e) => {
		try {
			await call('PATCH', `/auth/users/${u.id}`, {active: e.target.checked});
			toast(t('users.saved'));
		} catch (problem) {
			toast(messageOf(problem), 'critical');
		}
		onDone();
	};
	const own = u.username === user.get().username;
	return html`<label class="check"><input type="checkbox" checked=${u.active} disabled=${own} onChange=${set} />
		<span class="hidden">${t('users.active_of', {name: u.username})}</span></label>`;
}

export function Users() {
	const load = useLoad('/auth/users', {limit: 1000, run: undefined}), [form, setForm] = useState(null), [gone, setGone] = useState(null);
	const columns = [
		{name: 'username', label: t('login.name'), sort: (u) => u.username, cell: (u) => html`<strong>${u.username}</strong> <span class="muted">${u.full_name ?? ''}</span>`},
		{name: 'role', label: t('users.role'), sort: (u) => ROLES.indexOf(u.role), cell: (u) => html`<span class="tag">${t(`role.${u.role}`)}</span>`},
		{name: 'sites', label: t('users.sites'), small: true, cell: (u) => u.sites ?? t('users.all_sites')},
		{name: 'active', label: t('users.active'), cell: (u) => html`<${Active} u=${u} onDone=${load.reload} />`},
		{name: 'last', label: t('users.last_login'), small: true, sort: (u) => u.last_login, cell: (u) => dateTime(u.last_login)},
		{name: 'do', label: html`<span class="hidden">${t('users.actions')}</span>`, cell: (u) => html`<div class="group">
			<button onClick=${() => setForm({u})}>${t('users.edit')}</button>
			<button class="danger" disabled=${u.username === user.get().username} onClick=${() => setGone(u)}>${t('users.delete')}</button></div>`},
	];
	return html`<div class="title"><h1>${t('page.users')}</h1><span class="space"></span>
			<button class="first" onClick=${() => setForm({})}>${t('users.add')}</button></div>
		<${Panel} label=${t('page.users')}><${Loaded} of=${load}>${(d) => html`<${Table} caption=${t('page.users')} columns=${columns}
			rows=${d.items} keyOf=${(u) => u.id} />`}<//><//>
		${form && html`<${Form} u=${form.u} onDone=${load.reload} onClose=${() => setForm(null)} />`}
		${gone && html`<${Dialog} title=${t('users.delete')} done=${t('users.delete')} danger=${true} onClose=${() => setGone(null)}
			onDone=${async () => {
				await call('DELETE', `/auth/users/${gone.id}`);
				load.reload();
			}}><p>${t('users.delete_ask', {name: gone.username})}</p><//>`}`;
}
