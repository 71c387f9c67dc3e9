//! The limit: a bare program on axum and ruma. Arguments: PORT SINK CONNECTIONS.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use axum::{body::Bytes, extract::State, http::{HeaderMap, StatusCode}, routing::put, Router};
use ruma::events::{AnyMessageLikeEvent, AnyTimelineEvent, MessageLikeEvent};
use ruma::serde::Raw;
use tokio::sync::Semaphore;

struct Forwarder {
    sink: String,
    client: reqwest::Client,
    places: Semaphore,
    rooms: Mutex<HashMap<String, VecDeque<String>>>, // texts that wait, in the hands of one task
}

#[derive(serde::Deserialize)]
struct Transaction {
    events: Vec<Raw<AnyTimelineEvent>>,
}

async fn drain(forwarder: Arc<Forwarder>, room: String) {
    loop {
        let text = {
            let mut rooms = forwarder.rooms.lock().unwrap();
            match rooms.get_mut(&room).and_then(VecDeque::pop_front) {
                Some(text) => text,
                None => {
                    rooms.remove(&room);
                    return;
                }
            }
        };
        let _place = forwarder.places.acquire().await.unwrap();
        let url = format!("{}/rooms/{}/chatMessages", forwarder.sink, room);
        let body = serde_json::json!({ "text": text });
        while forwarder.client.post(&url).json(&body).send().await.is_err() {}
    }
}

fn forward(forwarder: &Arc<Forwarder>, room: String, text: String) {
    let mut rooms = forwarder.rooms.lock().unwrap();
    if let Some(queue) = rooms.get_mut(&room) {
        queue.push_back(text);
    } else {
        rooms.insert(room.clone(), VecDeque::from([text]));
        tokio::spawn(drain(forwarder.clone(), room));
    }
}

async fn transaction(
    State(forwarder): State<Arc<Forwarder>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    if token != Some("Bearer hs_token_of_the_benchmark") {
        return (StatusCode::FORBIDDEN, "{}");
    }
    let Ok(transaction) = serde_json::from_slice::<Transaction>(&body) else {
        return (StatusCode::BAD_REQUEST, "{}");
    };
    for event in transaction.events {
        if let Ok(AnyTimelineEvent::MessageLike(AnyMessageLikeEvent::RoomMessage(
            MessageLikeEvent::Original(message),
        ))) = event.deserialize()
        {
            forward(&forwarder, message.room_id.to_string(), message.content.body().to_owned());
        }
    }
    (StatusCode::OK, "{}")
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let connections = arguments[3].parse().unwrap();
    let forwarder = Arc::new(Forwarder {
        sink: arguments[2].clone(),
        client: reqwest::Client::builder().pool_max_idle_per_host(connections).build().unwrap(),
        places: Semaphore::new(connections),
        rooms: Mutex::default(),
    });
    let router = Router::new()
        .route("/_matrix/app/v1/transactions/{id}", put(transaction))
        .layer(axum::extract::DefaultBodyLimit::max(32 * 1024 * 1024))
        .with_state(forwarder);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", arguments[1].parse().unwrap()))
        .await
        .unwrap();
    axum::serve(listener, router).await.unwrap();
}
