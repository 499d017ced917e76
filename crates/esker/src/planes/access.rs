//! Who is let in, as the page is told: with the secrets that the definition only names.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use esker_pipeline::definition::secret::{Secret, Text};
use esker_pipeline::definition::web::Web;
use esker_web::access::oidc::Oidc;
use esker_web::access::{Access, Files, Token, User};
use esker_web::server::{Admits, Server as Pages};

use super::Start;
use crate::project::Project;
use crate::say::hinted;

/// Who is let in.
pub(super) fn of(project: &Project, web: &Web) -> Result<Access> {
    let dir = &project.dir;
    let tls = web.tls.as_ref();
    let tls = tls.map(|tls| Files { cert: dir.join(&tls.cert), key: dir.join(&tls.key) });
    let user = |user: &esker_pipeline::definition::web::User| {
        let password = match &user.password {
            Text::Plain(text) => text.clone(),
            Text::Secret(secret) => read(dir, &user.name, secret)?,
        };
        Ok(User { name: user.name.clone(), password, role: user.role })
    };
    let token = |token: &esker_pipeline::definition::web::Token| {
        let text = read(dir, &token.name, &token.token)?;
        Ok(Token { name: token.name.clone(), token: text, role: token.role })
    };
    let oidc = |oidc: &esker_pipeline::definition::web::oidc::Oidc| {
        let secret = oidc.secret.as_ref().map(|secret| secret.read(dir)).transpose();
        let secret = secret.map_err(|(why, hint)| {
            hinted(format!("cannot let anybody in by [web.oidc]: {why}"), hint)
        })?;
        Ok::<_, anyhow::Error>(Oidc {
            issuer: oidc.issuer.clone(),
            client: oidc.client.clone(),
            title: oidc.title.clone(),
            secret,
            scopes: oidc.scopes.clone(),
            claim: oidc.claim.clone(),
            groups_claim: oidc.groups_claim.clone(),
            roles: oidc.roles.iter().cloned().collect(),
            groups: oidc.groups.iter().cloned().collect(),
            default: oidc.default,
        })
    };
    Ok(Access {
        public: web.public.clone(),
        tls,
        users: web.users.iter().map(user).collect::<Result<_>>()?,
        tokens: web.tokens.iter().map(token).collect::<Result<_>>()?,
        oidc: web.oidc.as_ref().map(oidc).transpose()?,
    })
}

/// Who is let in, kept as the definition has it.
pub(super) struct Keeper {
    project: Project,
    admits: Option<Admits>,
    /// What was let in last, or could not be.
    web: Mutex<Web>,
}

impl Keeper {
    /// Keeps it for these pages.
    pub(super) fn new(start: &Start, page: &Pages) -> Self {
        let (project, web) = (start.project.clone(), Mutex::new(start.definition.web.clone()));
        Self { project, admits: page.admits(), web }
    }

    /// Lets those in whom a new definition names. Those of before stay where they cannot be.
    pub(super) fn keep(&self, web: &Web) {
        let Some(admits) = &self.admits else { return };
        // Whoever panicked while holding it has left it whole.
        let mut known = self.web.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &Web, other: &Web| {
            (&one.users, &one.tokens, &one.oidc) == (&other.users, &other.tokens, &other.oidc)
        };
        if same(&known, web) {
            return;
        }
        known.clone_from(web);
        let replaced = of(&self.project, web)
            .and_then(|access| admits.replace(access).map_err(|error| error.into()));
        match replaced {
            Ok(()) => tracing::info!("who is let in has changed"),
            Err(error) => {
                let error = format!("{error:#}");
                tracing::warn!(error, "those who were let in before still are");
            }
        }
    }
}

fn read(dir: &Path, name: &str, secret: &Secret) -> Result<String> {
    let read = secret.read(dir);
    read.map_err(|(why, hint)| hinted(format!("cannot let {name} in: {why}"), hint))
}
