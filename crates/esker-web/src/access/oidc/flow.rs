//! The two requests of a log-in elsewhere: there, and back.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::login::{self, AWAY, Wanted, append, encoded, escaped, later, set, way};
use super::super::tries::network;
use super::super::{Entry, How, Unentered, cookie, door};
use super::ask::{Silent, word};
use super::pending::{AGE_MAX, Begun, Unbegun};
use super::person::Stranger;
use super::provider::{Not, Provider, Unsent};
use crate::guard::Home;
use crate::page::static_page;
use crate::routes::Web;

/// Where people begin, and where they come back to.
pub(crate) const BEGIN: &str = "/login/oidc";
pub(crate) const BACK: &str = "/login/oidc/back";

/// The longest of what a provider sends along, in bytes.
const CODE_MAX: usize = 4_096;
/// How long those wait who have begun too many.
const MANY_WAIT: Duration = Duration::from_secs(60);

/// What is told where nobody is let in.
const TOLD: &str = include_str!("told.html");
/// Leads to the page one wanted. That is asked for by this site's page, so browsers send the session's cookie along:
/// from what another site has begun they keep it.
const ON: &str = include_str!("on.html");

/// What a provider sends along.
#[derive(Deserialize)]
pub(crate) struct Brought {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// Who tries to come in.
struct Comer<'a> {
    web: &'a Web,
    provider: &'a Arc<Provider>,
    headers: &'a HeaderMap,
    address: IpAddr,
    /// What is asked for, as the log has it.
    route: &'static str,
}

/// `GET /login/oidc`: to the provider.
pub(crate) async fn begin(
    State(web): State<Web>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    request: Request,
) -> Response {
    let wanted = wanted.ok().and_then(|Query(wanted)| wanted.next);
    let next = way(wanted.as_deref());
    let named = web.gate.named();
    let Some(provider) = &named.oidc else {
        return Redirect::to(&format!("/login?next={}", encoded(&next))).into_response();
    };
    let address = door::address(&web, &request).unwrap_or(login::NOWHERE);
    let headers = request.headers();
    let route = "logInElsewhere";
    let comer = Comer { web: &web, provider, headers, address, route };
    let title = &provider.settings.title;
    if let Err(wait) = provider.tries.look(address, Instant::now()) {
        return comer.refused("-", "limited", later(&web, AWAY, &next, wait));
    }
    let origin = match web.gate.site.home(headers) {
        Some(Home::Here(origin)) => origin,
        // The cookie would stay here, and the browser come back there.
        Some(Home::There(origin)) => {
            let to = format!("{origin}{BEGIN}?next={}", encoded(&next));
            return login::see_other(&to);
        }
        None => return told(StatusCode::BAD_REQUEST, &next, "This is no address to log in at."),
    };
    let redirect = format!("{origin}{BACK}");
    let said = |status, text: &str| login::said(&web, AWAY, status, (&next, text));
    match provider.begin((&redirect, &next), network(address)).await {
        Ok((to, secret)) => {
            let mut response = login::see_other(&to);
            set(&mut response, header::SET_COOKIE, &comer.cookie(&secret, AGE_MAX));
            response
        }
        Err(Unsent::Unbegun(Unbegun::Many)) => {
            comer.refused("-", "limited", later(&web, AWAY, &next, MANY_WAIT))
        }
        Err(Unsent::Unbegun(Unbegun::Random)) => {
            said(StatusCode::SERVICE_UNAVAILABLE, "There are no random numbers here.")
        }
        Err(Unsent::Silent(silent)) => {
            let (outcome, status, text) = silence(title, &silent);
            comer.refused("-", outcome, said(status, &text))
        }
    }
}

/// `GET /login/oidc/back`: from the provider, with a code; a session, if that is somebody who has a role.
pub(crate) async fn back(
    State(web): State<Web>,
    brought: Result<Query<Brought>, QueryRejection>,
    request: Request,
) -> Response {
    let address = door::address(&web, &request).unwrap_or(login::NOWHERE);
    let named = web.gate.named();
    let Some(provider) = &named.oidc else {
        return told(StatusCode::BAD_REQUEST, "/", "Nobody logs in so here.");
    };
    let headers = request.headers();
    let route = "logInBack";
    let comer = Comer { web: &web, provider, headers, address, route };
    comer.come(brought.ok().map(|Query(brought)| brought)).await
}

impl Comer<'_> {
    async fn come(&self, brought: Option<Brought>) -> Response {
        let now = Instant::now();
        if let Err(wait) = self.provider.tries.look(self.address, now) {
            let text = login::waiting(wait);
            let mut response = told(StatusCode::TOO_MANY_REQUESTS, "/", &text);
            set(&mut response, header::RETRY_AFTER, &login::seconds(wait).to_string());
            return self.refused("-", "limited", response);
        }
        let secret = cookie(self.headers, self.name()).unwrap_or_default();
        let state = brought.as_ref().and_then(|brought| brought.state.as_deref());
        let pending = &self.provider.pending;
        let begun = state.and_then(|state| pending.take(state, secret, now));
        let (Some(brought), Some(begun)) = (brought, begun) else {
            self.provider.tries.wrong(self.address, now);
            let text = "This log-in was not begun in this browser, or is over. Begin again.";
            return self.refused("-", "wrong", told(StatusCode::BAD_REQUEST, "/", text));
        };
        let mut response = self.identify(brought, &begun).await;
        // What is of no use leaves it for the log-in it belongs to.
        append(&mut response, header::SET_COOKIE, &self.cookie("", Duration::ZERO));
        response
    }

    /// Finds out who it is that comes back from what was begun.
    async fn identify(&self, brought: Brought, begun: &Begun) -> Response {
        let code = brought.code.filter(|code| code.len() <= CODE_MAX);
        let who = match (brought.error, code) {
            (Some(error), _) => Err(Not::Silent(Silent::No(word(&error)))),
            (None, Some(code)) => {
                let who = self.provider.person(begun, &code, brought.iss.as_deref()).await;
                if matches!(who, Err(Not::Untrue(_) | Not::Silent(Silent::No(_)))) {
                    self.provider.tries.wrong(self.address, Instant::now());
                }
                who
            }
            (None, None) => Err(Not::Untrue("there is no code in it")),
        };
        match who {
            Ok(person) => {
                let how = How::Elsewhere(Arc::clone(self.provider));
                self.enter(Entry { name: person.name.into(), role: person.role, how }, &begun.next)
            }
            Err(not) => self.not(not, &begun.next),
        }
    }

    /// Lets somebody in, and leads them on.
    fn enter(&self, entry: Entry, next: &str) -> Response {
        let name = Arc::clone(&entry.name);
        let session = match login::begin(self.web, entry, self.address, self.headers) {
            Ok(session) => session,
            Err(Unentered::Changed) => {
                let text = format!("{name} is what somebody else is called here.");
                return self.refused(&name, "unknown", told(StatusCode::FORBIDDEN, next, &text));
            }
            Err(why) => return told(StatusCode::SERVICE_UNAVAILABLE, next, why.text()),
        };
        let mut response = static_page(ON.replace("{next}", &escaped(next)));
        append(&mut response, header::SET_COOKIE, &session);
        response
    }

    /// Says why somebody is not let in.
    fn not(&self, not: Not, next: &str) -> Response {
        let title = &self.provider.settings.title;
        let (who, outcome, status, text) = match not {
            Not::Silent(silent) => {
                let (outcome, status, text) = silence(title, &silent);
                ("-".to_owned(), outcome, status, text)
            }
            Not::Untrue(why) => {
                tracing::warn!(why, "what the log-in's provider says is not believed");
                let text = format!("What {title} says cannot be believed: {why}.");
                ("-".to_owned(), "wrong", StatusCode::BAD_GATEWAY, text)
            }
            Not::Stranger(stranger) => {
                let (who, text) = self.strange(stranger);
                (who, "unknown", StatusCode::FORBIDDEN, text)
            }
        };
        self.refused(&who, outcome, told(status, next, &text))
    }

    /// Who somebody is that has no place here, and what to tell them.
    fn strange(&self, stranger: Stranger) -> (String, String) {
        let (title, claim) = (&self.provider.settings.title, &self.provider.settings.claim);
        match stranger {
            Stranger::Nameless => {
                ("-".to_owned(), format!("{title} does not say what your {claim} is."))
            }
            Stranger::Odd => (
                "-".to_owned(),
                format!("What {title} says is your {claim} cannot be a name here."),
            ),
            Stranger::Unverified(name) => {
                let text = format!("{title} says that {name} is not known to be yours.");
                (name, text)
            }
            Stranger::NoRole(name) => {
                let text = format!(
                    "{name} has no role here. Ask whoever keeps this esker.toml for one in [web.oidc]."
                );
                (name, text)
            }
        }
    }

    /// Writes down that somebody was not let in.
    fn refused(&self, user: &str, outcome: &'static str, response: Response) -> Response {
        self.web.metrics.login(outcome);
        let (address, status) = (self.address, response.status().as_u16());
        let route = self.route;
        tracing::info!(user, role = "-", %address, route, how = "oidc", status, outcome, "audit");
        response
    }

    fn is_secure(&self) -> bool {
        self.web.gate.site.is_secure(self.headers)
    }

    /// What the cookie is called that shows in which browser a log-in was begun.
    fn name(&self) -> &'static str {
        if self.is_secure() { "__Host-esker-oidc" } else { "esker-oidc" }
    }

    /// That cookie. It is sent along from the provider's site, as the session's is not.
    fn cookie(&self, secret: &str, age: Duration) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let (name, age) = (self.name(), age.as_secs());
        format!("{name}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
    }
}

/// What is told where a provider does not answer, or says no.
fn silence(title: &str, silent: &Silent) -> (&'static str, StatusCode, String) {
    match silent {
        Silent::No(word) => {
            tracing::info!(word, "the log-in's provider lets somebody not in");
            ("refused", StatusCode::FORBIDDEN, format!("{title} did not let you in: {word}."))
        }
        Silent::Busy => {
            let text = "Too many people log in just now. Try again in a moment.";
            ("busy", StatusCode::SERVICE_UNAVAILABLE, text.to_owned())
        }
        Silent::Away(why) => {
            tracing::warn!(why, "the log-in's provider cannot be asked");
            let text = format!("{title} cannot be reached just now. Try again in a moment.");
            ("away", StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }
}

/// A page that says why, with the way back.
fn told(status: StatusCode, next: &str, text: &str) -> Response {
    let page = TOLD.replace("{said}", &escaped(text));
    let mut response = static_page(page.replace("{next}", &escaped(&encoded(next))));
    *response.status_mut() = status;
    response
}
