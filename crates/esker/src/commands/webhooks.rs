//! `esker webhooks`: who is told of what happens, how that goes, and whether events arrive.

use std::process::ExitCode;

use anyhow::Result;
use esker_pipeline::definition::Definition;
use esker_pipeline::definition::deliver::Webhook;
use esker_pipeline::deliver::{self, Standing};
use serde_json::{Value, json};

use crate::cli::Webhooks;
use crate::planes;
use crate::project::Place;
use crate::reach::Hub;
use crate::say::{self, hinted};

/// Lists them, or tests one.
pub(crate) fn webhooks(place: &Place, asked: &Webhooks) -> Result<ExitCode> {
    let project = place.project()?;
    let definition = planes::definition(&project)?;
    match asked {
        Webhooks::List { json } => list(place, &definition, *json)?,
        Webhooks::Test { name, json } => {
            let webhook = named(&definition, name)?;
            let tested = deliver::test(&project.dir, &definition.project, webhook)
                .map_err(|unsent| hinted(unsent.summary, unsent.hint))?;
            if *json {
                say::json(&json!({
                    "webhook": name,
                    "server": tested.server,
                    "status": tested.status,
                    "said": tested.said,
                }))?;
            } else {
                say::line(format!("{} answers {}", tested.server, tested.status))?;
                if !tested.said.trim().is_empty() {
                    say::line(tested.said.trim_end())?;
                }
            }
            if !tested.is_taken() {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn named<'d>(definition: &'d Definition, name: &str) -> Result<&'d Webhook> {
    let found = definition.webhooks.iter().find(|webhook| webhook.name == name);
    found.ok_or_else(|| {
        let known: Vec<&str> =
            definition.webhooks.iter().map(|webhook| webhook.name.as_str()).collect();
        let hint = match known.as_slice() {
            [] => format!("write [webhook.{name}] and below it url = \"https://…\""),
            known => format!("there are: {}", known.join(", ")),
        };
        hinted(format!("there is no webhook {name}"), hint)
    })
}

fn list(place: &Place, definition: &Definition, as_json: bool) -> Result<()> {
    let hub = Hub::find(place)?;
    let caller = hub.caller();
    let mut all = Vec::new();
    for webhook in &definition.webhooks {
        all.push((webhook, deliver::standing(&caller, webhook)?));
    }
    if as_json {
        let all: Vec<Value> =
            all.iter().map(|(webhook, standing)| row(webhook, standing)).collect();
        return Ok(say::json(&Value::from(all))?);
    }
    if all.is_empty() {
        say::note("no webhooks: write [webhook.NAME] and below it url = \"https://…\"");
        return Ok(());
    }
    let rows = all.iter().map(|(webhook, standing)| {
        let sent = standing.sent.clone().unwrap_or_default();
        let problem = standing.problem.as_ref().and_then(|record| record.failure.as_ref());
        vec![
            webhook.name.clone(),
            webhook.server.url.to_string(),
            topics(webhook).join(", "),
            sent.sequence.to_string(),
            sent.refused.to_string(),
            sent.last.map_or_else(String::new, say::time),
            problem.map_or_else(String::new, |failure| failure.summary.clone()),
        ]
    });
    let headings = ["webhook", "server", "events", "sent", "refused", "last", "problem"];
    Ok(say::table(&headings, rows.collect())?)
}

fn topics(webhook: &Webhook) -> Vec<&'static str> {
    webhook.topics.iter().map(|topic| topic.name()).collect()
}

fn row(webhook: &Webhook, standing: &Standing) -> Value {
    let sent = standing.sent.clone().unwrap_or_default();
    let problem = standing.problem.as_ref().and_then(|record| record.failure.as_ref());
    json!({
        "webhook": webhook.name,
        "server": webhook.server.url.to_string(),
        "events": topics(webhook),
        "sent": sent.sequence,
        "refused": sent.refused,
        "last": sent.last.map(|time| time.to_string()),
        "problem": problem.map(|failure| failure.summary.clone()),
    })
}
