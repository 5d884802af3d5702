//! The hub's client against a local server that answers as the real one does.

mod mock_hub;

use std::fs;

use checkpoint_files::hub::{ModelName, fetch};
use expect_test::expect;
use mock_hub::hub::{COMMIT, Hub, TOKEN, content, sha256, targets, weights};
use mock_hub::{Reply, Request};

#[test]
fn a_model_is_fetched_once() {
    let hub = Hub::new();
    let model: ModelName = "hub:acme/tiny@main".parse().unwrap();
    let mut seen = Vec::new();
    let fetched = fetch(&model, &hub.settings, &mut |p| {
        seen.push(format!("{} {}/{} {}/{:?}", p.file, p.number, p.n_files, p.done, p.size));
    })
    .unwrap();
    hub.check_complete(&fetched);
    assert!(!fetched.was_cached);
    seen.dedup();
    assert_eq!(seen.first().unwrap(), "config.json 0/3 22/Some(22)");
    let size = weights().len();
    assert_eq!(*seen.last().unwrap(), format!("model.safetensors 2/3 {size}/Some({size})"));

    let requests = hub.hub.requests();
    let asked: Vec<&str> = requests.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(
        asked,
        [
            "/api/models/acme/tiny/revision/main?blobs=true",
            &format!("/acme/tiny/resolve/{COMMIT}/config.json"),
            "/api/resolve-cache/models/acme/tiny/config.json",
            &format!("/acme/tiny/resolve/{COMMIT}/tokenizer.json"),
            "/api/resolve-cache/models/acme/tiny/tokenizer.json",
            &format!("/acme/tiny/resolve/{COMMIT}/model.safetensors"),
        ]
    );
    // The token goes to the hub, and nowhere else.
    for request in requests {
        assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
        assert_eq!(request.headers["accept-encoding"], "identity");
        assert!(request.headers["user-agent"].starts_with("thesisforge/"));
    }
    let requests = hub.cdn.requests();
    assert_eq!(requests.len(), 1);
    assert!(!requests[0].headers.contains_key("authorization"), "{requests:?}");
    assert_eq!(requests[0].headers["accept-encoding"], "identity");

    // A branch is looked up again; a commit needs no network.
    assert!(hub.fetch("main").unwrap().was_cached);
    assert_eq!(targets(&hub.hub), ["/api/models/acme/tiny/revision/main?blobs=true"]);
    let again = hub.fetch(COMMIT).unwrap();
    assert!(again.was_cached);
    hub.check_complete(&again);
    assert!(targets(&hub.hub).is_empty());
    assert!(hub.waits().is_empty());
}

#[test]
fn without_the_network_there_is_what_was_fetched() {
    let mut hub = Hub::new();
    hub.settings.offline = true;
    let mut lines = hub.error(COMMIT) + "\n";
    hub.settings.offline = false;
    hub.fetch(COMMIT).unwrap();
    hub.settings.offline = true;
    hub.check_complete(&hub.fetch(COMMIT).unwrap());
    lines += &(hub.error("main") + "\n");
    lines += &(hub.error(&"f".repeat(40)) + "\n");
    expect![[r#"
        hub:acme/tiny@0123456789abcdef0123456789abcdef01234567 is not in DIR, and the network is not to be used
        hub:acme/tiny@main is not in DIR, and the network is not to be used; it is there at 0123456789abcdef0123456789abcdef01234567
        hub:acme/tiny@ffffffffffffffffffffffffffffffffffffffff is not in DIR, and the network is not to be used; it is there at 0123456789abcdef0123456789abcdef01234567
    "#]].assert_eq(&lines);
}

#[test]
fn branches_are_encoded_in_the_question() {
    let hub = Hub::new();
    hub.fetch("refs/pr/1").unwrap();
    assert_eq!(targets(&hub.hub)[0], "/api/models/acme/tiny/revision/refs%2Fpr%2F1?blobs=true");
}

#[test]
fn a_broken_transfer_goes_on_where_it_was() {
    // The CDN sends 1,500 bytes each time, and then goes away.
    let hub = Hub::with(|request, _, reply| match request.target.starts_with("/repos/") {
        true => reply.cut_at(1500),
        false => reply,
    });
    hub.check_complete(&hub.fetch(COMMIT).unwrap());
    let ranges: Vec<_> =
        hub.cdn.requests().iter().map(|request| request.headers.get("range").cloned()).collect();
    let range = |start: usize| Some(format!("bytes={start}-"));
    assert_eq!(ranges, [None, range(1500), range(3000)]);
    // Each made progress, so that the waits do not grow.
    assert_eq!(hub.waits(), [1, 1]);
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    for start in [1, 2000, weights().len() - 1] {
        let hub = Hub::new();
        fs::create_dir_all(hub.staging()).unwrap();
        fs::write(hub.staging().join("config.json"), content("config.json").unwrap()).unwrap();
        fs::write(hub.staging().join("model.safetensors.partial"), &weights()[..start]).unwrap();
        hub.check_complete(&hub.fetch(COMMIT).unwrap());
        let requests = hub.cdn.requests();
        assert_eq!(requests[0].headers["range"], format!("bytes={start}-"));
        assert!(!targets(&hub.hub).iter().any(|target| target.ends_with("config.json")));
    }
}

#[test]
fn a_part_that_is_all_of_it_is_checked() {
    // 416, since nothing is left to ask for.
    let hub = Hub::new();
    fs::create_dir_all(hub.staging()).unwrap();
    fs::write(hub.staging().join("model.safetensors.partial"), weights()).unwrap();
    hub.check_complete(&hub.fetch(COMMIT).unwrap());

    // A part of another file, of the same length or longer, is thrown away.
    for extra in [0, 10] {
        let hub = Hub::new();
        fs::create_dir_all(hub.staging()).unwrap();
        let wrong = vec![7; weights().len() + extra];
        fs::write(hub.staging().join("model.safetensors.partial"), wrong).unwrap();
        hub.check_complete(&hub.fetch(COMMIT).unwrap());
    }
}

#[test]
fn a_wrong_beginning_is_found_at_the_end() {
    let hub = Hub::new();
    fs::create_dir_all(hub.staging()).unwrap();
    fs::write(hub.staging().join("model.safetensors.partial"), [9; 100]).unwrap();
    hub.check_complete(&hub.fetch(COMMIT).unwrap());
    assert_eq!(hub.cdn.requests().len(), 2);
}

#[test]
fn a_server_that_knows_no_ranges_sends_all_of_it() {
    let hub = Hub::with(|request, _, reply| match request.target.starts_with("/repos/") {
        true => Reply::new(200, weights()),
        false => reply,
    });
    fs::create_dir_all(hub.staging()).unwrap();
    fs::write(hub.staging().join("model.safetensors.partial"), &weights()[..50]).unwrap();
    hub.check_complete(&hub.fetch(COMMIT).unwrap());
}

#[test]
fn another_part_than_asked_for_is_not_taken() {
    let hub = Hub::with(|request, before, reply| {
        match request.target.starts_with("/repos/") && before == 0 {
            true => Reply::new(206, &weights()[10..]).header("Content-Range", "bytes 10-20/30"),
            false => reply,
        }
    });
    fs::create_dir_all(hub.staging()).unwrap();
    fs::write(hub.staging().join("model.safetensors.partial"), &weights()[..50]).unwrap();
    hub.check_complete(&hub.fetch(COMMIT).unwrap());
    let asked = hub.cdn.requests();
    let ranges: Vec<_> = asked.iter().map(|request| request.headers.get("range")).collect();
    assert_eq!(ranges, [Some(&"bytes=50-".to_owned()), None]);
}

/// The error where a twist spoils something, and how long was waited.
#[track_caller]
fn spoiled(twist: impl Fn(&Request, usize, Reply) -> Reply + Send + Sync + 'static) -> String {
    let hub = Hub::with(twist);
    let text = hub.error("main");
    assert!(!hub.folder.path().join("acme--tiny").join(COMMIT).exists());
    match hub.waits().as_slice() {
        [] => text + "\n",
        waits => format!("{text} (waited {waits:?})\n"),
    }
}

fn is_weights(request: &Request) -> bool {
    request.target.ends_with("model.safetensors")
}

#[test]
fn wrong_contents_are_not_kept() {
    let on_cdn = |request: &Request| request.target.starts_with("/repos/");
    let lines = [
        // One bit.
        spoiled(move |request, _, mut reply| {
            if on_cdn(request) {
                reply.body[1000] ^= 1;
            }
            reply
        }),
        spoiled(|request, _, reply| match request.target.starts_with("/api/resolve-cache/") {
            true => Reply::new(200, vec![b' '; 22]).header("ETag", "\"abc\""),
            false => reply,
        }),
        // Shorter than it should be, time and again.
        spoiled(move |request, _, reply| match on_cdn(request) {
            true => Reply::new(200, &weights()[..100]),
            false => reply,
        }),
        // Longer.
        spoiled(move |request, _, reply| match on_cdn(request) {
            true => Reply::new(200, [weights(), vec![0; 1 << 20]].concat()),
            false => reply,
        }),
        // No digest; what the CDN calls one is not the hub's word.
        spoiled(move |request, _, mut reply| {
            reply.headers.retain(|(name, _)| name != "X-Linked-Etag");
            match on_cdn(request) {
                true => Reply::new(200, reply.body).header("ETag", sha256(&weights())),
                false => reply,
            }
        }),
        // Another commit than asked for.
        spoiled(|request, _, mut reply| {
            if is_weights(request) {
                reply.headers.retain(|(name, _)| name != "X-Repo-Commit");
                reply = reply.header("X-Repo-Commit", "f".repeat(40));
            }
            reply
        }),
    ];
    expect![[r#"
        model.safetensors of hub:acme/tiny@0123456789abcdef0123456789abcdef01234567 should have the SHA-256 a0d3837476817429173880e46ecfa761d01ba154686d6c0bb57574cffbe3d2dc, and has 47a10291999d753fd27cba4308a31caae5efff9b0508eb80922cd722a7116d83
        config.json of hub:acme/tiny@0123456789abcdef0123456789abcdef01234567 should have the git SHA-1 0972e95c1405cc1507c19dcbe784f7a36c930907, and has 325735c62a98f6c6c0dd1dd4863507aebf1fea4c
        HUB/acme/tiny/resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors: no answer after 6 attempts: the file ends too early (waited [1, 1, 2, 4, 8, 16])
        model.safetensors of hub:acme/tiny@0123456789abcdef0123456789abcdef01234567 should have the size 4072, and has more
        HUB/acme/tiny/resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors: the hub gives no digest of this file, so that it cannot be trusted
        HUB/acme/tiny/resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors: the hub answers with commit ffffffffffffffffffffffffffffffffffffffff
    "#]].assert_eq(&lines.concat());
}

#[test]
fn refusals_have_hints() {
    let api = |request: &Request| request.target.starts_with("/api/models/");
    let status = move |status: u16, code: &'static str, message: &'static str| {
        spoiled(move |request, _, reply| match api(request) {
            true => Reply::new(status, message)
                .header("X-Error-Code", code)
                .header("X-Error-Message", message),
            false => reply,
        })
    };
    let anonymous = {
        let mut hub = Hub::with(|_, _, _| {
            Reply::new(401, "").header("X-Error-Message", "Invalid username or password.")
        });
        hub.settings.token = None;
        hub.error("main") + "\n"
    };
    let lines = [
        anonymous,
        status(401, "RepoNotFound", "Repository not found"),
        status(401, "", "no such token: hf_s3cretS3cret"),
        status(
            403,
            "GatedRepo",
            "Access to model acme/tiny is restricted and you are not in the authorized list.",
        ),
        status(404, "RevisionNotFound", "Invalid rev id: main"),
        status(404, "", ""),
        status(418, "", ""),
        // A file that the list names and that is not there.
        spoiled(|request, _, reply| match is_weights(request) {
            true => Reply::new(404, "").header("X-Error-Code", "EntryNotFound"),
            false => reply,
        }),
    ];
    expect![[r#"
        HUB/api/models/acme/tiny/revision/main: status 401: Invalid username or password.; the model may be private or gated, or not exist: put a token that may read it into HF_TOKEN
        HUB/api/models/acme/tiny/revision/main: status 401: Repository not found; the token is not valid, or the model does not exist
        HUB/api/models/acme/tiny/revision/main: status 401: no such token: …; the token is not valid, or the model does not exist
        HUB/api/models/acme/tiny/revision/main: status 403: Access to model acme/tiny is restricted and you are not in the authorized list.; the token may not read it: accept the model's terms on its page
        HUB/api/models/acme/tiny/revision/main: status 404: Invalid rev id: main
        HUB/api/models/acme/tiny/revision/main: status 404: no reason is given
        HUB/api/models/acme/tiny/revision/main: status 418: no reason is given
        HUB/acme/tiny/resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors: status 404: EntryNotFound
    "#]].assert_eq(&lines.concat());
}

#[test]
fn answers_that_are_none() {
    let api = |body: &'static str| {
        spoiled(move |request, _, reply| match request.target.starts_with("/api/models/") {
            true => Reply::new(200, body),
            false => reply,
        })
    };
    let lines = [
        api("<html>"),
        api("{}"),
        api(r#"{"sha":"main"}"#),
        api(r#"{"sha":"../../../../../../../../../../../../../x"}"#),
        api(r#"{"sha":"0123456789abcdef0123456789abcdef01234567"}"#),
        api(
            r#"{"sha":"0123456789abcdef0123456789abcdef01234567","siblings":[{"rfilename":"pytorch_model.bin"},{"rfilename":"../model.safetensors"}]}"#,
        ),
        spoiled(|_, _, _| Reply::new(302, "").header("Location", "ftp://elsewhere/x?s1gned")),
        spoiled(|_, _, _| Reply::new(302, "")),
        spoiled(|_, _, _| Reply::new(302, "").header("Location", "//elsewhere/x")),
        spoiled(|_, _, _| Reply::new(302, "").header("Location", "/round?s1gned")),
    ];
    expect![[r#"
        HUB/api/models/acme/tiny/revision/main: the answer is not that of a model: expected value at line 1 column 1
        HUB/api/models/acme/tiny/revision/main: the answer is not that of a model: missing field `sha` at line 1 column 2
        HUB/api/models/acme/tiny/revision/main: `main` is no commit
        HUB/api/models/acme/tiny/revision/main: `../../../../../../../../../../../../../x` is no commit
        hub:acme/tiny@0123456789abcdef0123456789abcdef01234567 has no safetensors
        hub:acme/tiny@0123456789abcdef0123456789abcdef01234567 has no safetensors, but pytorch_model.bin, which are not fetched
        HUB/api/models/acme/tiny/revision/main: it redirects to nowhere
        HUB/api/models/acme/tiny/revision/main: it redirects to nowhere
        HUB/api/models/acme/tiny/revision/main: it redirects to an address without a scheme
        HUB/round: it redirects more than 5 times
    "#]].assert_eq(&lines.concat());

    // A commit is what was asked for, or nothing.
    let hub = Hub::new();
    expect!["HUB/api/models/acme/tiny/revision/ffffffffffffffffffffffffffffffffffffffff: it answers with commit 0123456789abcdef0123456789abcdef01234567"].assert_eq(&hub.error(&"f".repeat(40)));
}

#[test]
fn busy_hubs_are_waited_for() {
    let busy = |n: usize, status: u16, after: Option<&'static str>| {
        move |request: &Request, before: usize, reply: Reply| match is_weights(request)
            && before < n
        {
            true => {
                let busy = Reply::new(status, "");
                after.map_or(busy.clone(), |after| busy.header("Retry-After", after))
            }
            false => reply,
        }
    };
    for (n, status, after, waits) in [
        (1, 500, None, vec![1]),
        (4, 503, None, vec![1, 2, 4, 8]),
        (2, 429, Some("7"), vec![7, 7]),
        (1, 429, Some("Wed, 21 Oct 2015 07:28:00 GMT"), vec![60]),
        (1, 429, Some("Wed, 21 Oct 2015 07:00:00 GMT"), vec![0]),
        (1, 429, Some("soon"), vec![1]),
    ] {
        let hub = Hub::with(busy(n, status, after));
        hub.check_complete(&hub.fetch(COMMIT).unwrap());
        assert_eq!(hub.waits(), waits, "{status} {after:?}");
    }
    let lines = [spoiled(busy(99, 503, None)), spoiled(busy(99, 429, Some("3600")))];
    expect![[r#"
        HUB/acme/tiny/resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors: no answer after 6 attempts: status 503 (waited [1, 2, 4, 8, 16])
        HUB/acme/tiny/resolve/0123456789abcdef0123456789abcdef01234567/model.safetensors: no answer after 1 attempt: status 429; it asks to wait 3600 s, more than 300 s
    "#]].assert_eq(&lines.concat());
}

#[test]
fn a_signature_that_has_run_out_is_made_anew() {
    let hub = Hub::with(|request, before, reply| {
        match request.target.starts_with("/repos/") && before == 0 {
            true => Reply::new(403, "Request has expired"),
            false => reply,
        }
    });
    hub.check_complete(&hub.fetch(COMMIT).unwrap());
    assert_eq!(hub.waits(), [1]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let hub = Hub::new();
    fs::create_dir_all(hub.staging()).unwrap();
    let partial = hub.staging().join("model.safetensors.partial");
    std::os::unix::fs::symlink("/dev/full", partial).unwrap();
    expect!["there is no room for model.safetensors in DIR/acme--tiny/.partial-0123456789abcdef0123456789abcdef01234567: it needs 4072 more bytes; what has arrived is kept: No space left on device (os error 28)"].assert_eq(&hub.error(COMMIT));
    // What arrived before is kept.
    assert!(hub.staging().join("tokenizer.json").exists());
}

#[test]
fn two_that_want_the_same_wait_for_each_other() {
    let hub = Hub::new();
    let (a, b) = std::thread::scope(|scope| {
        let a = scope.spawn(|| hub.fetch(COMMIT).unwrap());
        let b = scope.spawn(|| hub.fetch("main").unwrap());
        (a.join().unwrap(), b.join().unwrap())
    });
    hub.check_complete(&a);
    hub.check_complete(&b);
    assert!(a.was_cached != b.was_cached, "both fetched it");
    assert_eq!(hub.cdn.requests().len(), 1);
}

#[test]
fn hubs_that_cannot_be() {
    let mut hub = Hub::new();
    let mut lines = String::new();
    for endpoint in [
        "",
        "huggingface.co",
        "ftp://x",
        "http://mirror.example",
        "https://a:b@x",
        "https://x?y",
        "https://",
    ] {
        hub.settings.endpoint = endpoint.to_owned();
        lines += &(hub.error("main") + "\n");
    }
    expect![[r#"
        `` cannot be the address of a hub: it is no URL
        `huggingface.co` cannot be the address of a hub: it begins with neither https:// nor http://
        `ftp://x` cannot be the address of a hub: it begins with neither https:// nor http://
        `http://mirror.example` cannot be the address of a hub: a token is sent over https only
        `https://x` cannot be the address of a hub: it has a query or a password
        `https://x` cannot be the address of a hub: it has a query or a password
        `https:` cannot be the address of a hub: it begins with neither https:// nor http://
    "#]]
    .assert_eq(&lines);
}
