//! Shows a run while it goes on: a live display on a terminal, plain lines elsewhere, an event stream with `--json`.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use provision_core::embed::Task;
use provision_core::exec::RunError;
use provision_core::plan::Plan;
use provision_core::progress::Progress;
use tokio::task::JoinHandle;

use super::board::{Board, Detail};
use super::out;
use super::terminal::Terminal;
use crate::events::Stream;

/// How often the display is drawn: its spinner moves, its times count.
const TICK: Duration = Duration::from_millis(100);

/// Shows what a run reports, until it is dropped or ended.
pub(crate) struct Watcher {
    screen: Screen,
    ticks: Option<JoinHandle<()>>,
}

/// Where it is shown; shared by those who have something to show.
#[derive(Clone)]
pub(crate) struct Screen(Arc<Mutex<Inner>>);

struct Inner {
    began: Instant,
    view: View,
}

enum View {
    Lines {
        board: Board,
        live: Option<Live>,
    },
    Events(Stream),
    /// The run is over.
    Over,
}

struct Live {
    bar: ProgressBar,
    /// Whether what is printed for good goes to the same terminal.
    shares_terminal: bool,
    colour: bool,
}

impl Watcher {
    /// Of a run of this plan; without one, of planning.
    pub(crate) fn new(plan: Option<&Plan>, verbose: bool) -> Self {
        let view = if out::is_json() {
            View::Events(Stream::new(plan))
        } else {
            let live = live();
            let detail = match &live {
                Some(live) if live.shares_terminal && verbose => Detail::Resources,
                Some(live) if live.shares_terminal => Detail::Blocks,
                Some(_) | None => Detail::Events,
            };
            View::Lines { board: Board::new(plan, detail), live }
        };
        let screen = Screen(Arc::new(Mutex::new(Inner { began: Instant::now(), view })));
        screen.lock().tick();
        let ticking = screen.clone();
        let ticks = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            loop {
                ticks.tick().await;
                ticking.lock().tick();
            }
        });
        Self { screen, ticks: Some(ticks) }
    }

    /// Takes one event in.
    pub(crate) fn see(&mut self, progress: &Progress) {
        self.screen.lock().see(progress);
    }

    /// Takes in all that happens until the end.
    pub(crate) async fn watch<T: Send + 'static>(&mut self, mut task: Task<T>) -> Result<T, RunError> {
        while let Some(event) = task.next_event().await {
            self.see(&event);
        }
        task.finish().await
    }

    /// For whoever hears interrupts.
    pub(crate) fn screen(&self) -> Screen {
        self.screen.clone()
    }

    /// The run is over: the live display goes away.
    pub(crate) fn end(&mut self) {
        if let Some(ticks) = self.ticks.take() {
            ticks.abort();
            self.screen.lock().end();
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.end();
    }
}

impl Screen {
    /// The run was interrupted, and drains.
    pub(crate) fn interrupted(&self) {
        self.lock().interrupted();
    }

    /// The process is about to end: the live display goes away.
    pub(crate) fn stop(&self) {
        self.lock().end();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn see(&mut self, progress: &Progress) {
        let now = self.began.elapsed();
        match &mut self.view {
            View::Lines { board, live } => {
                let lines = board.see(progress, now);
                print(live.as_ref(), &lines);
            }
            View::Events(stream) => stream.see(progress, now).iter().for_each(out::event),
            View::Over => {}
        }
    }

    fn tick(&mut self) {
        let now = self.began.elapsed();
        match &mut self.view {
            View::Lines { board, live } => {
                print(live.as_ref(), &board.slow(now));
                if let Some(live) = live {
                    live.draw(board, now);
                }
            }
            View::Events(stream) => stream.tick(now).iter().for_each(out::event),
            View::Over => {}
        }
    }

    fn interrupted(&mut self) {
        let now = self.began.elapsed();
        match &mut self.view {
            View::Lines { board, live } => {
                let lines = board.interrupt(now, !out::is_automated());
                print(live.as_ref(), &lines);
            }
            View::Events(stream) => stream.interrupt().iter().for_each(out::event),
            View::Over => {}
        }
    }

    fn end(&mut self) {
        let now = self.began.elapsed();
        match std::mem::replace(&mut self.view, View::Over) {
            View::Lines { mut board, live } => {
                if let Some(live) = &live {
                    live.bar.finish_and_clear();
                }
                print(None, &board.end(now));
            }
            View::Events(_) | View::Over => {}
        }
    }
}

fn print(live: Option<&Live>, lines: &[String]) {
    let all = || lines.iter().for_each(|line| out::line(line));
    match live {
        Some(live) if live.shares_terminal && !lines.is_empty() => live.bar.suspend(all),
        Some(_) | None => all(),
    }
}

/// A live display, where there is a terminal for it and nothing else writes there.
fn live() -> Option<Live> {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let logging = std::env::var_os("PROVISION_LOG").is_some();
    if !std::io::stderr().is_terminal() || dumb || logging {
        return None;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::new(Terminal::stderr())));
    // A constant template; were it wrong, the default one would do.
    if let Ok(style) = ProgressStyle::with_template("{msg}") {
        bar.set_style(style);
    }
    let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    Some(Live { bar, shares_terminal: std::io::stdout().is_terminal(), colour })
}

impl Live {
    fn draw(&self, board: &Board, now: Duration) {
        let (rows, columns) = Term::stderr().size();
        let text = board.live(now, columns.into(), rows.into()).join("\n");
        let text = if self.colour { text } else { anstream::adapter::strip_str(&text).to_string() };
        self.bar.set_message(text);
    }
}
