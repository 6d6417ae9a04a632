//! Rate limits hold across restarts.

use alerts_store::RateLimiter;

use crate::fixture::at;
use crate::on_both;

fn limiter(scope: &str, seconds: i64) -> RateLimiter {
    RateLimiter { scope: scope.to_owned(), free_at: at(seconds) }
}

on_both! {
    async fn a_limiter_is_kept_until_it_holds_nothing_back(db: Db) {
        let both = [limiter("endpoint:a", 60), limiter("rule:b", 10)];
        db.keep_rate_limiters(&both, at(0), 100).await.unwrap();
        let mut read = db.rate_limiters(at(5)).await.unwrap();
        read.sort();
        assert_eq!(read, both);
        assert_eq!(db.rate_limiters(at(10)).await.unwrap(), [limiter("endpoint:a", 60)]);
        db.keep_rate_limiters(&[], at(60), 100).await.unwrap();
        assert_eq!(db.rate_limiters(at(0)).await.unwrap(), [], "forgotten");
    }

    async fn of_two_hosts_that_keep_one_limiter_the_stricter_one_stands(db: Db) {
        for seconds in [30, 60, 40] {
            db.keep_rate_limiters(&[limiter("tenant:ada", seconds)], at(0), 100).await.unwrap();
        }
        assert_eq!(db.rate_limiters(at(0)).await.unwrap(), [limiter("tenant:ada", 60)]);
    }
}
