<?php
/**
 * Tests of the plug-in's rules without WordPress: `php tests/run.php`. Exits 1 and names what differs.
 *
 * @package Autofactura\Hub
 */

namespace Autofactura\Hub;

require __DIR__ . '/stubs.php';
require dirname( __DIR__ ) . '/src/autoload.php';

set_error_handler(
	static function ( $level, $message, $file, $line ) {
		throw new \ErrorException( $message, 0, $level, $file, $line );
	}
);

$checked = 0;
$failed  = array();

function same( $expected, $got, string $what ): void {
	global $checked, $failed;
	++$checked;
	if ( $expected !== $got ) {
		$failed[] = $what . "\n  expected " . var_export( $expected, true ) . "\n  got      " . var_export( $got, true );
	}
}

function vectors( string $name ): array {
	return json_decode( file_get_contents( __DIR__ . '/' . $name . '.json' ), true, 32, JSON_THROW_ON_ERROR );
}

// What the two sides prove to each other.
$vectors = vectors( 'link-vectors' );
foreach ( $vectors['links'] as $link ) {
	same( $link['proof'], Signature::of_link( $vectors['secret'], $link['order'], $link['key'] ), 'link of ' . $link['order'] );
}
foreach ( $vectors['requests'] as $request ) {
	same( $request['signature'], Signature::of_request( $vectors['secret'], $request['method'], $request['path'], $request['time'], $request['body'] ), 'request ' . $request['path'] );
}
foreach ( $vectors['deliveries'] as $delivery ) {
	same( $delivery['signature'], Signature::of_delivery( $vectors['secret'], $delivery['body'] ), 'delivery ' . $delivery['body'] );
}

// Fiscal data, judged as the hub judges them.
$judged = vectors( 'receptor-vectors' );
foreach ( $judged as $index => $vector ) {
	$data = array();
	foreach ( $vector['typed'] as $field => $typed ) {
		$data[ $field ] = FiscalRules::normalize( $field, $typed );
	}
	$errors = FiscalRules::errors( $data );
	$hub    = $vector['errors'];
	ksort( $errors );
	ksort( $hub );
	if ( $vector['tidy'] ) {
		same( $vector['typed'], $data, 'left as it is: ' . $index );
		same( $hub, $errors, 'errors ' . $index . ' of ' . wp_json( $vector['typed'] ) );
	} else {
		same( array(), array_diff_key( $errors, $hub ), 'refused here alone: ' . $index . ' of ' . wp_json( $vector['typed'] ) );
	}
	foreach ( $errors as $code ) {
		same( false, 'Check this field.' === Wording::error( $code ), 'words for ' . $code );
	}
}
same( array(), FiscalRules::errors( array() ), 'no data, no error' );
same( 'EKU9003173C9', FiscalRules::normalize( 'rfc', " e.k.u.-900317\u{200b} 3c9\n" ), 'an RFC as people write it' );
same( 'ÑANDÚ & CÍA', FiscalRules::normalize( 'nombre', "  N\u{303}andu\u{301}\t&  Cía " ), 'a name' );
same( '42501', FiscalRules::normalize( 'cp', ' 42501 ' ), 'a postal code' );
same( 1000, mb_strlen( FiscalRules::normalize( 'nombre', str_repeat( 'ñ', 5000 ) ) ), 'cut' );
same( '', FiscalRules::normalize( 'rfc', "EKU\xff900" ), 'bytes that are no text' );

function wp_json( $value ): string {
	return (string) json_encode( $value );
}

// Whether the box was ticked decides whether anything is read at all.
$typed = array(
	'rfc' => 'eku9003173c9',
	'cp'  => array( 'hostile' ),
);
same( array(), CheckoutFields::read( false, $typed ), 'not ticked' );
same( array(), CheckoutFields::read( array( '1' ), $typed ), 'a list is no tick' );
same( 'EKU9003173C9', CheckoutFields::read( '1', $typed )['rfc'], 'ticked' );
same( '', CheckoutFields::read( true, $typed )['cp'], 'a list is no text' );

// Invoiceable: status, date of payment, total, refunded => opinion.
$table = array(
	array( 'processing', true, 100.0, 0.0, 'yes' ),
	array( 'completed', true, 100.0, 0.0, 'yes' ),
	array( 'completed', true, 100.0, 33.33, 'yes' ),
	array( 'completed', true, 100.0, 99.99, 'yes' ),
	array( 'completed', true, 100.0, 100.0, 'no' ),
	array( 'completed', true, 0.3, 0.1 + 0.2, 'no' ),
	array( 'processing', true, 0.0, 0.0, 'no' ),
	array( 'processing', true, -5.0, 0.0, 'no' ),
	array( 'processing', false, 100.0, 0.0, 'waiting' ),
	array( 'on-hold', false, 100.0, 0.0, 'waiting' ),
	array( 'on-hold', true, 100.0, 0.0, 'waiting' ),
	array( 'pending', false, 100.0, 0.0, 'waiting' ),
	array( 'pending', true, 100.0, 0.0, 'waiting' ),
	array( 'on-hold', false, 0.0, 0.0, 'no' ),
	array( 'cancelled', true, 100.0, 0.0, 'no' ),
	array( 'refunded', true, 100.0, 100.0, 'no' ),
	array( 'failed', false, 100.0, 0.0, 'no' ),
	array( 'trash', true, 100.0, 0.0, 'no' ),
	array( 'checkout-draft', false, 100.0, 0.0, 'no' ),
	array( 'shipped', true, 100.0, 0.0, 'no' ),
	array( 'lost', true, 100.0, 0.0, 'no' ),
);
foreach ( $table as list( $status, $dated, $total, $refunded, $expected ) ) {
	same( $expected, Invoiceable::decide( $status, $dated, $total, $refunded )->value, "$status, total $total, refunded $refunded" );
}
same( 'yes', Invoiceable::decide( 'shipped', true, 100.0, 0.0, array( 'shipped' ) )->value, 'a status of the merchant' );
same( 'waiting', Invoiceable::decide( 'shipped', false, 100.0, 0.0, array( 'shipped' ) )->value, 'the same, not paid' );

// Back-off: soon, then patiently, three days in all.
same( array( 60, 300, 900, 3600, 21600, 21600 ), array_map( static fn ( $n ) => Backoff::wait( $n, 0 ), range( 1, 6 ) ), 'waits' );
$elapsed = 0;
$tries   = 1;
while ( null !== ( $wait = Backoff::wait( $tries, $elapsed ) ) ) {
	$elapsed += $wait;
	++$tries;
}
same( true, $elapsed >= Backoff::GIVES_UP_AFTER && $elapsed < Backoff::GIVES_UP_AFTER + 21600, 'gives up after three days' );
same( true, $tries < 20, 'few tries' );
same( 1800, Backoff::wait( 1, 0, 1800 ), 'the hub may ask for more' );
same( 3600, Backoff::wait( 4, 0, 5 ), 'but not for less' );
same( 21600, Backoff::wait( 1, 0, PHP_INT_MAX ), 'nor for ever' );
$verdicts = array( 200 => 'done', 204 => 'done', 301 => 'stop', 400 => 'stop', 401 => 'stop', 404 => 'stop', 410 => 'stop', 408 => 'again', 413 => 'smaller', 425 => 'again', 429 => 'again', 500 => 'again', 503 => 'again', 0 => 'again' );
foreach ( $verdicts as $code => $expected ) {
	same( $expected, Backoff::verdict( $code ), "verdict of $code" );
}

// Addresses of a hub.
$GLOBALS['home'] = 'https://tienda.example/shop';
$addresses = array(
	'https://facturas.example'        => true,
	'https://facturas.example:8443/h' => true,
	'http://facturas.example'         => false,
	'ftp://facturas.example'          => false,
	'https://u:p@facturas.example'    => false,
	'https://u@facturas.example'      => false,
	'https://facturas.example?x=1'    => false,
	'https://facturas.example#x'      => false,
	'https://'                        => false,
	'javascript:alert(1)'             => false,
	'facturas.example'                => false,
	''                                => false,
	'https://a<b>.example'            => false,
	'https://' . str_repeat( 'a', 600 ) => false,
);
foreach ( $addresses as $address => $usable ) {
	same( $usable, HubAddress::usable( (string) $address ), "address $address" );
}
same( 'https://facturas.example', HubAddress::tidy( " facturas.example/ " ), 'a missing scheme' );
same( 'http://facturas.example', HubAddress::tidy( 'http://facturas.example/' ), 'a scheme stays as it is' );
same( '', HubAddress::tidy( '  ' ), 'nothing typed' );

// The hub's answer to pairing: only a whole one is taken.
$answer = array(
	'connection'     => 'c-1',
	'hub'            => 'https://facturas.example/',
	'webhook_url'    => 'https://facturas.example/webhooks/woocommerce/c-1',
	'webhook_secret' => str_repeat( 'w', 40 ),
	'link_secret'    => str_repeat( 'k', 43 ),
	'merchant'       => 'ESCUELA KEMPER URGATE',
);
$made = Connection::from_answer( $answer, 'https://tienda.example/shop', 7, 1 );
same( 'https://facturas.example', $made?->hub, 'a whole answer' );
$spoiled = array(
	array( 'connection' => '../x' ),
	array( 'connection' => 7 ),
	array( 'hub' => 'http://facturas.example' ),
	array( 'webhook_url' => 'https://elsewhere.example/webhooks/woocommerce/c-1' ),
	array( 'webhook_url' => 'https://facturas.example.evil.example/' ),
	array( 'webhook_secret' => 'short' ),
	array( 'webhook_secret' => str_repeat( '&', 40 ) ),
	array( 'link_secret' => '' ),
	array( 'link_secret' => array( 'x' ) ),
);
foreach ( $spoiled as $index => $change ) {
	same( null, Connection::from_answer( array_merge( $answer, $change ), 'https://tienda.example/shop', 7, 1 ), "spoiled answer $index" );
}
same( null, Connection::from_answer( array(), 'https://tienda.example', 7, 1 ), 'an empty answer' );

// Kept and read again; on a copy of the shop it is not live.
$made->save();
same( 'c-1', Connection::live()?->id, 'kept' );
same( str_repeat( 'k', 43 ), Connection::get()?->link_secret, 'secrets survive' );
$GLOBALS['home'] = 'https://staging.tienda.example/shop';
same( null, Connection::live(), 'a copy is paused' );
same( true, Connection::get()?->is_copy(), 'and known as one' );
// Who copies a shop replaces its address wherever it stands in the database.
$kept = get_option( Settings::CONNECTION );
update_option( Settings::CONNECTION, str_replace( '//tienda.example', '//staging.tienda.example', $kept ) );
same( true, Connection::get()?->is_copy(), 'a copy whose addresses were replaced is one too' );
same( 'https://tienda.example/shop', Connection::get()?->store_url, 'and can say of which shop' );
update_option( Settings::CONNECTION, $kept );
// One shop: by https or by http behind a proxy, with www or without.
foreach ( array( 'http://tienda.example/shop', 'https://www.tienda.example/shop/' ) as $spelling ) {
	$GLOBALS['home'] = $spelling;
	same( false, Connection::get()?->is_copy(), "the same shop as $spelling" );
}
$GLOBALS['home'] = 'http://tienda.example/shop';
$GLOBALS['ssl']  = true;
same( 'https://tienda.example/shop', Connection::store(), 'asked for by https' );
$GLOBALS['ssl'] = false;
foreach ( array( 'https://tienda.example', 'https://tienda.example/other', 'https://tienda.example.mx/shop' ) as $other ) {
	$GLOBALS['home'] = $other;
	same( true, Connection::get()?->is_copy(), "another shop: $other" );
}
$GLOBALS['home'] = 'https://tienda.example/shop';
update_option( Settings::CONNECTION, 'rubbish' );
same( null, Connection::get(), 'a spoiled option is none' );

// Choices.
Settings::save( array( 'show_mail' => '1', 'text_mail' => '<b>Factura</b>', 'text_list' => array( 'x' ), 'statuses' => array( 'shipped', 'completed', 'nobody', array() ) ) );
same( true, Settings::shows( 'mail' ), 'switched on' );
same( false, Settings::shows( 'list' ), 'not named is off' );
same( 'Factura', Wording::link( 'mail' ), 'own words' );
same( 'Invoice', Wording::link( 'list' ), 'ours' );
same( array( 'shipped' ), Settings::extra_statuses(), 'only statuses of the merchant' );

// Words of the hub in the reader's language.
$GLOBALS['locale'] = 'es_MX';
same( 'hola', Answer::words_of( array( 'message' => 'hello', 'message_es' => 'hola' ) ), 'Spanish' );
same( 'hello', Answer::words_of( array( 'message' => 'hello', 'message_es' => '' ) ), 'no Spanish' );
$GLOBALS['locale'] = 'en_US';
same( 'hello', Answer::words_of( array( 'message' => 'hello', 'message_es' => 'hola' ) ), 'English' );
same( '', ( new Answer( 500, array( 'error' => 'x' ) ) )->message(), 'an error that is no object' );
same( '', Answer::words_of( array( 'message' => array( 'x' ) ) ), 'a message that is no text' );

// Renewals take the buyer's data along, never the hub's notes: both shapes of the filters.
$metas = array( '_autofactura_uuid' => 'u', '_wc_other/autofactura/rfc' => 'r' );
same( array( '_wc_other/autofactura/rfc' => 'r' ), Subscriptions::without_ours( $metas ), 'by key' );
$rows = array( array( 'meta_key' => '_autofactura_estado', 'meta_value' => 'lista' ), array( 'meta_key' => 'x', 'meta_value' => 'y' ) );
same( array( 1 => $rows[1] ), Subscriptions::without_ours( $rows ), 'by row' );
same( 'SELECT', Subscriptions::without_ours( 'SELECT' ), 'neither' );

require __DIR__ . '/delivery.php';

echo count( $failed ) ? implode( "\n", $failed ) . "\n" : '', $checked, ' checked, ', count( $failed ), " failed\n";
exit( count( $failed ) ? 1 : 0 );
