//! Grammars over tokens: which token may come next, and how to end within a budget of tokens.
