//! What to do about a refusal.

use crate::{JsonError, JwtError};

/// One sentence for whoever has to make the token acceptable; `None` when there is nothing to advise.
pub(super) fn fix(error: &JwtError) -> Option<&'static str> {
    Some(match error {
        JwtError::TooLarge { .. } => "Put less into the token: keep large data in a session or behind an API.",
        JwtError::MalformedSegments { segments: 5 } => "This is an encrypted token (JWE); show the signed one.",
        JwtError::MalformedSegments { .. } | JwtError::MalformedBase64 { .. } => {
            "Show the whole token, exactly as it was issued."
        }
        JwtError::MalformedCharacter { .. } => {
            "Show the token alone: without \"Bearer\", quotes, spaces or line breaks."
        }
        JwtError::MalformedJson { problem: JsonError::DuplicateName { .. }, .. } => {
            "The issuer writes a member twice; it has to write it once."
        }
        JwtError::MalformedJson { .. } | JwtError::MalformedHeader { .. } => {
            "The issuer has to write strict JSON objects with the members' proper types."
        }
        JwtError::AlgorithmNone => "The issuer has to sign its tokens.",
        JwtError::AlgorithmNotAllowed { .. } => {
            "Sign with an algorithm that is expected, or expect this one if the issuer is to use it."
        }
        JwtError::AlgorithmUnsupported => "Sign with ES256, EdDSA or HS256.",
        JwtError::KeyUnknown => "Compare the token's kid with the issuer's key set; is it another issuer's token?",
        JwtError::KeyAmbiguous => "The issuer has to name the key in the header (kid).",
        JwtError::KeyAlgorithmMismatch { .. } => "The header's alg has to be that of the key it names.",
        JwtError::EmbeddedKey { .. } => "Name the key by kid; keys come from the issuer's set only.",
        JwtError::SignatureLength { .. } | JwtError::SignatureInvalid => {
            "The token was altered, or the key is not the one it was signed with."
        }
        JwtError::TypMissing | JwtError::TypMismatch => "Show a token of the expected kind, here an access token.",
        JwtError::ClaimMissing { claim } if claim == "exp" => {
            "The issuer has to let its tokens expire: a token without exp can never be refused for its age."
        }
        JwtError::ClaimMissing { .. } => "The issuer has to put this claim into its tokens.",
        JwtError::ClaimMalformed { .. } => "The issuer has to write this claim in its proper type.",
        JwtError::IssuerMismatch => "The issuer has to be named exactly so, down to a final slash.",
        JwtError::AudienceMismatch => "Ask the issuer for a token for this audience.",
        JwtError::IssuedInFuture { .. } | JwtError::NotYetValid { .. } => {
            "Compare the clocks of issuer and verifier; a leeway of up to 60 seconds may help."
        }
        JwtError::LifetimeTooLong { .. } => "The issuer has to issue tokens that live shorter.",
        JwtError::Expired { .. } => "Refresh the token.",
        _ => return None,
    })
}
