//! DSL, graph, planner, executor, streams and the simulated cloud of provision
