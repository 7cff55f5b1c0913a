//! What answers the requests of a door: the router, and past it the one path on which requests come in a rush.

use super::{Api, alerts, guard};
use crate::engine::Code;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::sync::Arc;

/// Cheap to clone.
#[derive(Clone)]
pub struct Paths {
    router: TowerToHyperService<Router>,
    /// Whose metrics count what is refused.
    api: Option<Arc<Api>>,
    /// The door takes alerts from whoever the config lets, see [`alerts::gate`].
    alerts: bool,
}

impl Paths {
    pub fn of(router: Router, api: Arc<Api>) -> Paths {
        Paths { api: Some(api), ..Paths::from(router) }
    }

    /// The same, where a POST of alerts spares itself the router: the layers there cost more than a look at the path.
    /// It has to lead where the router leads, too.
    pub fn with_alerts(self) -> Paths {
        Paths { alerts: true, ..self }
    }

    /// What is no success is counted by its code.
    pub async fn answer(&self, request: Request<Incoming>) -> Result<Response, Infallible> {
        let answer = self.found(request).await;
        if let (Ok(response), Some(api)) = (&answer, &self.api)
            && let Some(code) = response.extensions().get::<Code>()
        {
            api.metrics.refused(*code);
        }
        answer
    }

    /// A handler that panics is an answer.
    async fn found(&self, request: Request<Incoming>) -> Result<Response, Infallible> {
        if let Some(api) = self.api.as_ref().filter(|_| self.alerts)
            && *request.method() == Method::POST
            && request.uri().path() == alerts::PATH
        {
            // In a box: the future of a connection is copied for each request, and this one is large.
            let told = Box::pin(alerts::gate::post(State(api.clone()), request.map(Body::new)));
            return guard::caught(|| alerts::PATH.to_owned(), async { Ok(told.await.into_response()) }).await;
        }
        let uri = request.uri().clone();
        guard::caught(|| uri.path().to_owned(), self.router.call(request)).await
    }
}

impl From<Router> for Paths {
    fn from(router: Router) -> Paths {
        Paths { router: TowerToHyperService::new(router), api: None, alerts: false }
    }
}
