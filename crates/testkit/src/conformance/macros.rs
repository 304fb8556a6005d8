//! The list of checks.

/// Makes a test of each check, for the stores that `$make` makes: `fn() -> (Arc<impl Store>, impl Any)`.
#[macro_export]
macro_rules! conformance {
    ($make:path, race_rounds = $rounds:expr) => {
        $crate::conformance!(@checks $make, sessions:
            an_inserted_session_is_loaded_as_it_was
            insert_only_creates
            swap_changes_only_what_it_was_shown
            what_was_removed_stays_removed
            a_revision_is_never_used_again
            expiry_is_not_judged
            a_reading_names_the_head
        );
        $crate::conformance!(@checks $make, fences:
            insert_is_refused_behind_each_fence
            swap_is_refused_behind_each_fence
            a_fence_concerns_nobody_else
            a_fence_comes_before_every_other_answer
            loading_names_the_latest_cut_off
            a_fence_is_never_lowered
            a_fence_outlives_its_entry
            a_removed_and_fenced_session_cannot_be_made_again
            fences_are_read_in_the_order_asked_for
        );
        $crate::conformance!(@checks $make, lists:
            pages_are_complete_and_in_order
            a_filter_selects_exactly
            limits_are_kept
            the_last_page_says_so
            a_cursor_holds_while_sessions_come_and_go
            a_session_moves_with_its_owner
            sweeping_removes_what_ended_before
            sweeping_looks_at_the_session_as_it_is
        );
        $crate::conformance!(@checks $make, log:
            an_empty_log_has_a_head
            entries_come_back_as_they_were_appended
            positions_are_gap_free_under_concurrency
            reading_keeps_to_the_limit
            a_position_of_no_known_past_is_a_gap
            a_snapshot_is_complete_to_its_position
            a_change_too_large_is_refused
        );
        $crate::conformance!(@checks $make, pruning:
            reading_below_the_base_is_a_gap
            pruning_keeps_what_lives
            pruning_keeps_to_its_limit
            the_head_survives_pruning
            a_fence_lives_until_its_longest_end
            what_is_said_anew_lives_no_longer
        );
        $crate::conformance!(@checks $make, waiting:
            who_is_behind_does_not_wait
            everybody_who_waits_is_woken
            a_wait_that_was_given_up_disturbs_nobody
            no_wake_up_is_missed
        );
        $crate::conformance!(@checks $make, registry:
            a_renewal_registers_and_names_the_head
            every_renewal_raises_the_counter
            the_longest_lease_counts
            an_append_reads_the_registry
            leaving_needs_the_right_counter
            an_append_and_a_renewal_see_each_other
        );
        $crate::conformance!(@checks $make, records:
            an_inserted_record_is_loaded_as_it_was
            insert_only_creates_in_each_kind
            an_alias_is_unique
            an_alias_follows_its_record
            swap_changes_only_what_it_was_shown
            removal_needs_the_right_revision
            a_revision_is_never_used_again
            pages_are_complete_and_in_order
            a_cursor_needs_no_record
        );
        $crate::conformance!(@checks $make, bodies:
            any_text_comes_back
            the_largest_body_is_taken
            what_is_too_large_is_refused
            times_without_end_come_back
        );
        $crate::conformance!(@checks $make, races:
            one_of_many_inserts_wins
            one_of_many_swaps_wins
            no_update_is_lost
            a_sign_in_that_races_a_revocation_is_refused_or_fenced
            a_save_that_races_a_revocation_comes_first_or_is_refused
            one_of_many_takes_the_alias
        );
        $crate::conformance!(@checks $make, readings:
            a_reading_is_as_new_as_the_position_it_names
            an_entry_and_its_fence_are_seen_together
            reading_beside_a_pruner_is_a_gap_or_contiguous
        );
        $crate::conformance!(@checks $make, polling:
            a_verb_does_nothing_until_it_is_polled
        );
        mod race {
            use super::*;

            #[test]
            fn a_save_racing_a_removal_never_revives_a_session() {
                $crate::conformance::run($make, async |store| {
                    $crate::conformance::races::a_save_racing_a_removal_never_revives_a_session(store, $rounds).await;
                });
            }
        }
    };
    (@checks $make:path, $module:ident: $($check:ident)+) => {
        mod $module {
            use super::*;

            $(
                #[test]
                fn $check() {
                    $crate::conformance::run($make, $crate::conformance::$module::$check);
                }
            )+
        }
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    const MODULES: [(&str, &str); 12] = [
        ("bodies", include_str!("bodies.rs")),
        ("fences", include_str!("fences.rs")),
        ("lists", include_str!("lists.rs")),
        ("log", include_str!("log.rs")),
        ("polling", include_str!("polling.rs")),
        ("pruning", include_str!("pruning.rs")),
        ("races", include_str!("races.rs")),
        ("readings", include_str!("readings.rs")),
        ("records", include_str!("records.rs")),
        ("registry", include_str!("registry.rs")),
        ("sessions", include_str!("sessions.rs")),
        ("waiting", include_str!("waiting.rs")),
    ];

    /// The checks that the list above has under that module: those of its block, and those that are called by path.
    fn listed(module: &str) -> BTreeSet<&'static str> {
        let list = include_str!("macros.rs");
        let (_, block) = list.split_once(&format!("@checks $make, {module}:\n")).expect("the module is listed");
        let (block, _) = block.split_once(");").expect("the list ends");
        let call = format!("conformance::{module}::");
        let called = list.match_indices(&call).filter_map(|(at, _)| list[at + call.len()..].split('(').next());
        block.split_whitespace().chain(called.filter(|name| !name.starts_with('$'))).collect()
    }

    /// A check that is written and not listed would never run.
    #[test]
    fn every_check_is_listed() {
        for (module, text) in MODULES {
            let checks = text.lines().filter_map(|line| line.strip_prefix("pub async fn "));
            let checks: BTreeSet<&str> = checks.filter_map(|rest| rest.split(['(', '<']).next()).collect();
            assert!(!checks.is_empty());
            assert_eq!(listed(module), checks, "{module}");
        }
    }

    /// Nor would one of a module that is not looked at.
    #[test]
    fn every_module_is_looked_at() {
        let written = include_str!("../conformance.rs").lines().filter_map(|line| line.strip_prefix("pub mod "));
        let written: Vec<&str> = written.filter_map(|rest| rest.strip_suffix(';')).collect();
        assert_eq!(MODULES.map(|(module, _)| module).to_vec(), written);
    }
}
