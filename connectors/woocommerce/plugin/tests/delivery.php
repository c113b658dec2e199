<?php
/**
 * Deliveries: when they are queued, what an answer does, and that nothing waits for a hub that is down.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

$GLOBALS['home']       = 'https://tienda.example/shop';
$GLOBALS['options']    = array();
$GLOBALS['transients'] = array();
$GLOBALS['queue']      = array();
$GLOBALS['orders']     = array(
	7 => new \WC_Order( 7 ),
	8 => new \WC_Order( 8, null ),
	9 => new \WC_Order( 9, 1, 'shop_subscription' ),
);
$seconds = static fn ( int $id ): ?int => isset( $GLOBALS['queue'][ $id ] ) ? $GLOBALS['queue'][ $id ] - time() : null;
$near    = static fn ( ?int $got, int $wanted ): bool => null !== $got && abs( $got - $wanted ) <= 2;
/** The queue runs: the action is taken out first, as Action Scheduler does. */
$run = static function ( int $id, int ...$answers ): int {
	unset( $GLOBALS['queue'][ $id ] );
	$GLOBALS['answers'] = $answers;
	$GLOBALS['sent']    = array();
	Delivery::run( $id );
	return count( $GLOBALS['sent'] );
};
$retry = Settings::RETRY . '7';

Delivery::note( 7 );
same( null, $seconds( 7 ), 'nothing is queued without a connection' );
$made->save();
Delivery::note( 7 );
Delivery::note( '7' );
same( true, $near( $seconds( 7 ), 10 ), 'queued once, in ten seconds' );
Delivery::note( 8 );
Delivery::note( 9 );
Delivery::note( 404 );
same( array( 7 ), array_keys( $GLOBALS['queue'] ), 'not paid, not an order, not there: not queued' );

same( 1, $run( 7, 200 ), 'one request' );
list( $url, $sent ) = $GLOBALS['sent'][0];
same( $made->webhook_url, $url, 'to the webhook\'s address' );
same( '{"id":7}', $sent['body'], 'an order nobody may read is told by its id' );
same( Signature::of_delivery( $made->webhook_secret, $sent['body'] ), $sent['headers']['X-WC-Webhook-Signature'], 'signed' );
same( 'autofactura.order', $sent['headers']['X-WC-Webhook-Topic'], 'topic' );
same( 0, $sent['redirection'], 'no redirect is followed' );
same( true, $sent['timeout'] <= 10, 'a short time limit' );
same( array(), $GLOBALS['queue'], 'done is done' );

// The hub is down: counted, repeated later and later, and at most one request a minute.
same( 1, $run( 7, 0 ), 'asked' );
same( true, $near( $seconds( 7 ), 60 ), 'again in a minute' );
same( 0, $run( 7, 200 ), 'down for a minute: not even asked' );
same( true, $near( $seconds( 7 ), 300 ), 'then in five' );
delete_transient( 'autofactura_hub_down' );
Delivery::note( 7 );
same( true, $near( $seconds( 7 ), 10 ), 'a new change comes before a late repetition' );
same( 2, get_option( $retry )['failures'], 'two failures' );
same( 1, $run( 7, 429 ), 'busy' );
same( true, $near( $seconds( 7 ), 900 ), 'a quarter of an hour' );
$run( 7, 200 );
same( false, get_option( $retry ), 'forgotten after success' );

// Three days.
update_option( $retry, array( 'failures' => 9, 'since' => time() - Backoff::GIVES_UP_AFTER - 1 ) );
$run( 7, 500 );
same( null, $seconds( 7 ), 'given up' );
same( 500, get_option( Settings::TROUBLE )['code'], 'and told' );
same( false, get_option( $retry ), 'nothing of it stays' );
$run( 7, 200 );
same( false, get_option( Settings::TROUBLE ), 'a success clears it' );

// Refused: no use to repeat.
foreach ( array( 401, 404, 301 ) as $code ) {
	$run( 7, $code );
	same( null, $seconds( 7 ), "$code is not repeated" );
	same( $code, get_option( Settings::TROUBLE )['code'], "$code is told" );
}
same( 1, $run( 7, 413 ), 'the id alone cannot be made smaller' );

// A copy of the shop, an order deleted meanwhile.
$GLOBALS['home'] = 'https://staging.example';
same( 0, $run( 7, 200 ), 'a copy tells nobody' );
Delivery::note( 7 );
same( null, $seconds( 7 ), 'and queues nothing' );
$GLOBALS['home'] = 'https://tienda.example/shop';
same( 0, $run( 404, 200 ), 'an order that is gone' );

// Plain http is not for production: another client would be called then, which is not here.
same( false, HubAddress::http_allowed(), 'http is off' );
