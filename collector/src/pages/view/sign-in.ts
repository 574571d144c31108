import { notice } from '../design/element.ts'
import { mark } from '../design/symbol.ts'
import { html, nothing } from '../html.ts'
import type { Html } from '../html.ts'
import type { Locale } from '../language/locale.ts'

export interface SignInModel {
  csrf: string
  /** Where to go afterwards: an address of ours. */
  next: string
  email?: string
  /** The last attempt did not match. */
  wrong?: boolean
}

export function signInView({ csrf, next, email, wrong }: SignInModel, { t }: Locale): Html {
  return html`<div class="sign-in">
    <div class="panel">
      ${mark(44)}
      <h1>${t('signIn.title')}</h1>
      <p class="muted">${t('signIn.lead')}</p>
      <form method="post" action="/sign-in">
        <input type="hidden" name="_csrf" value="${csrf}" />
        <input type="hidden" name="next" value="${next}" />
        ${
          wrong === true
            ? html`<div role="alert" id="problem">${notice('bad', t('signIn.wrong'))}</div>`
            : nothing
        }
        <div class="field">
          <label for="email">${t('signIn.email')}</label>
          <input
            id="email"
            name="email"
            type="email"
            autocomplete="username"
            required
            maxlength="254"
            value="${email ?? ''}"
            ${wrong === true ? html`aria-describedby="problem"` : nothing}
          />
        </div>
        <div class="field">
          <label for="password">${t('signIn.password')}</label>
          <input
            id="password"
            name="password"
            type="password"
            autocomplete="current-password"
            required
            maxlength="1024"
          />
        </div>
        <button type="submit">${t('signIn.submit')}</button>
      </form>
    </div>
    <p class="promise">${t('signIn.promise')}</p>
  </div>`
}
