//! Who is let in, as the page is told: with the secrets that the definition only names.

use std::path::Path;

use anyhow::Result;
use esker_pipeline::definition::secret::{Secret, Text};
use esker_pipeline::definition::web::Web;
use esker_web::access::{Access, Files, Token, User};

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
    Ok(Access {
        public: web.public.clone(),
        tls,
        users: web.users.iter().map(user).collect::<Result<_>>()?,
        tokens: web.tokens.iter().map(token).collect::<Result<_>>()?,
    })
}

fn read(dir: &Path, name: &str, secret: &Secret) -> Result<String> {
    let read = secret.read(dir);
    read.map_err(|(why, hint)| hinted(format!("cannot let {name} in: {why}"), hint))
}
