//! Tokens: verifying and signing, beside the signature alone and beside jsonwebtoken on the same cryptography.
//!
//! The baseline is what no library can save: the signature with a key parsed once. Everybody gets the same token or
//! the same claims, and keys parsed as far as the library allows ahead of time.

use std::{hint::black_box, time::SystemTime};

use anyhow::{Context, Result};
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        ParsedPublicKey,
    },
};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use misario_bench::{Contestant, Group, Machine, Options, Report};
use misario_jose::{Algorithm, KeySet, Scratch, SigningKey, UnixTime, Verifier, b64u};
use serde::{Deserialize, Serialize};

const ISSUER: &str = "https://auth.example.com";
const AUDIENCE: &str = "https://app.example.com";

/// An access token's claims as misario issues them.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    jti: String,
    iat: u64,
    exp: u64,
    auth_time: u64,
    roles: Vec<String>,
}

fn main() -> Result<()> {
    let options = Options::from_args()?;
    let mut report = Report::new(&options);
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256] {
        let contest = Contest::new(algorithm)?;
        contest.verifying(&options, &mut report)?;
        contest.signing(&options, &mut report)?;
    }
    report.finish(&options)
}

/// One algorithm's key and token, for everybody.
struct Contest {
    key: SigningKey,
    claims: Claims,
    token: String,
    now: UnixTime,
}

impl Contest {
    fn new(algorithm: Algorithm) -> Result<Self> {
        let key = SigningKey::generate(algorithm, &Machine);
        // jsonwebtoken reads the clock itself, so the token has to be alive today.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let claims = claims(now);
        let token = key.sign_jwt("at+jwt", &claims)?;
        Ok(Self { key, claims, token, now: UnixTime::from_secs(now) })
    }

    fn verifying(&self, options: &Options, report: &mut Report) -> Result<()> {
        let (message, signature) = self.token.rsplit_once('.').context("a token has dots")?;
        let (message, signature) = (message.as_bytes(), b64u::decode(signature).context("base64url")?);
        let raw = raw_verify(&self.key)?;
        let mut keys = KeySet::new();
        keys.insert(self.key.verifying_key())?;
        let verifier = Verifier::builder()
            .issuer(ISSUER)
            .audience(AUDIENCE)
            .typ("at+jwt")
            .algorithms(&[self.key.algorithm()])
            .build();
        let mut scratch = Scratch::new();
        let (peer_key, validation) = (self.peer_decoding_key()?, self.peer_validation());
        let contestants = vec![
            Contestant::new("signature alone", move || assert!(raw(black_box(message), &signature))),
            Contestant::new("misario-jose", || {
                let jwt = verifier.verify(black_box(&self.token), &keys, self.now, &mut scratch);
                assert_eq!(jwt.expect("a good token").subject(), Some(self.claims.sub.as_str()));
            }),
            Contestant::new("jsonwebtoken", || {
                let jwt = jsonwebtoken::decode::<Claims>(black_box(&self.token), &peer_key, &validation);
                assert_eq!(jwt.expect("a good token").claims.sub, self.claims.sub);
            }),
        ];
        let task = self.task(["verify ES256", "verify EdDSA", "verify HS256"]);
        Group::new(task, contestants).measure(options, report);
        Ok(())
    }

    fn signing(&self, options: &Options, report: &mut Report) -> Result<()> {
        let (message, _) = self.token.rsplit_once('.').context("a token has dots")?;
        let raw = raw_sign(&self.key)?;
        let peer_key = self.peer_encoding_key();
        let header = Header {
            typ: Some("at+jwt".to_owned()),
            kid: Some(self.key.kid().as_str().to_owned()),
            ..Header::new(peer_algorithm(self.key.algorithm()))
        };
        let contestants = vec![
            Contestant::new("signature alone", move || raw(black_box(message.as_bytes()))),
            Contestant::new("misario-jose", || {
                black_box(self.key.sign_jwt("at+jwt", black_box(&self.claims)).expect("a token"));
            }),
            Contestant::new("jsonwebtoken", || {
                black_box(jsonwebtoken::encode(&header, black_box(&self.claims), &peer_key).expect("a token"));
            }),
        ];
        let task = self.task(["sign ES256", "sign EdDSA", "sign HS256"]);
        Group::new(task, contestants).measure(options, report);
        Ok(())
    }

    fn task(&self, names: [&'static str; 3]) -> &'static str {
        match self.key.algorithm() {
            Algorithm::Es256 => names[0],
            Algorithm::EdDsa => names[1],
            _ => names[2],
        }
    }

    fn peer_decoding_key(&self) -> Result<DecodingKey> {
        Ok(match self.key.verifying_key().to_jwk() {
            Some(jwk) => DecodingKey::from_jwk(&serde_json::from_str(&jwk.to_json())?)?,
            None => DecodingKey::from_secret(&self.key.to_secret_bytes()),
        })
    }

    fn peer_encoding_key(&self) -> EncodingKey {
        let secret = self.key.to_secret_bytes();
        match self.key.algorithm() {
            Algorithm::Es256 => EncodingKey::from_ec_der(&secret),
            Algorithm::EdDsa => EncodingKey::from_ed_der(&secret),
            _ => EncodingKey::from_secret(&secret),
        }
    }

    fn peer_validation(&self) -> Validation {
        let mut validation = Validation::new(peer_algorithm(self.key.algorithm()));
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.validate_nbf = true;
        validation
    }
}

fn claims(now: u64) -> Claims {
    Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: "7b0b5c3e-9d0c-4f0e-8a39-52d1c8a0f6d1".to_owned(),
        sid: "AAECAwQFBgcICQoLDA0ODw".to_owned(),
        jti: "Dw4NDAsKCQgHBgUEAwIBAA".to_owned(),
        iat: now,
        exp: now + 3600,
        auth_time: now,
        roles: ["staff", "editor", "hr"].map(str::to_owned).to_vec(),
    }
}

fn peer_algorithm(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        _ => jsonwebtoken::Algorithm::HS256,
    }
}

type RawVerify = Box<dyn Fn(&[u8], &[u8]) -> bool>;

fn raw_verify(key: &SigningKey) -> Result<RawVerify> {
    let secret = key.to_secret_bytes();
    let public = match key.algorithm() {
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &secret)?;
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key())?
        }
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::from_pkcs8(&secret)?;
            ParsedPublicKey::new(&ED25519, pair.public_key())?
        }
        _ => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            return Ok(Box::new(move |message, tag| hmac::verify(&key, message, tag).is_ok()));
        }
    };
    Ok(Box::new(move |message, signature| public.verify_sig(message, signature).is_ok()))
}

type RawSign = Box<dyn Fn(&[u8])>;

fn raw_sign(key: &SigningKey) -> Result<RawSign> {
    let secret = key.to_secret_bytes();
    Ok(match key.algorithm() {
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &secret)?;
            Box::new(move |message| {
                black_box(pair.sign(&SystemRandom::new(), message).expect("a signature"));
            })
        }
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::from_pkcs8(&secret)?;
            Box::new(move |message| {
                black_box(pair.sign(message));
            })
        }
        _ => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
            Box::new(move |message| {
                black_box(hmac::sign(&key, message));
            })
        }
    })
}
