module gitterd/bench

go 1.25.0

require maunium.net/go/mautrix v0.30.0
