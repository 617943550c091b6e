//! Misuses of the DSL that must not compile, each with its message
